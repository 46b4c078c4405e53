from mailroom.scoring.predictions import predict_value


def model(dbt, session):
    return predict_value(session, dbt.ref("customers_to_score"), dbt.ref("trained_models"))
