from mailroom.scoring.predictions import predict_purchases


def model(dbt, session):
    return predict_purchases(session, dbt.ref("purchase_history_groups"), dbt.ref("trained_models"))
