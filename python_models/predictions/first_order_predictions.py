from mailroom.scoring.predictions import predict_first_orders


def model(dbt, session):
    people = dbt.ref("customer_features").filter("is_scoring and n_order_days = 0")
    return predict_first_orders(session, people, dbt.ref("trained_models"))
