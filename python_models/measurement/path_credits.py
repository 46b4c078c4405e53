from mailroom.measurement.paths import credit_paths


def model(dbt, session):
    return credit_paths(session, dbt.ref("touch_paths"))
