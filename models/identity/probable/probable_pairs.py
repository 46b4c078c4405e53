from mailroom.matching import probable_pairs


def model(dbt, session):
    return probable_pairs(session, dbt.ref("matching_records"))
