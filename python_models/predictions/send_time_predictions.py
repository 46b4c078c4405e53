from mailroom.scoring.predictions import predict_send_times


def model(dbt, session):
    return predict_send_times(session, dbt.ref("customer_active_hours"), dbt.ref("trained_models"))
