from mailroom.scoring.predictions import stability


def model(dbt, session):
    return stability(session, dbt.ref("scored_sample"), dbt.ref("trained_models"))
