from mailroom.scoring.predictions import trait_points


def model(dbt, session):
    return trait_points(session, dbt.ref("trained_models"))
