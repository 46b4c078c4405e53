from mailroom.scoring.predictions import category_weights


def model(dbt, session):
    return category_weights(session, dbt.ref("trained_models"))
