from mailroom.scoring.predictions import evaluations


def model(dbt, session):
    return evaluations(session, dbt.ref("trained_models"))
