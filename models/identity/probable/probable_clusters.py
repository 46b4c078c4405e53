from mailroom.matching import joined_clusters


def model(dbt, session):
    return joined_clusters(
        session,
        edges=dbt.ref("probable_edges"),
        components=dbt.ref("probable_components"),
        strangers=dbt.ref("probable_strangers"),
        max_records=int(dbt.config.meta_get("max_records")),
    )
