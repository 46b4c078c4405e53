from mailroom.scoring.predictions import predict_churn


def model(dbt, session):
    return predict_churn(session, dbt.ref("customers_to_score"), dbt.ref("trained_models"))
