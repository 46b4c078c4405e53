from mailroom.scoring.predictions import predict_next_order


def model(dbt, session):
    return predict_next_order(session, dbt.ref("customers_to_score"), dbt.ref("trained_models"))
