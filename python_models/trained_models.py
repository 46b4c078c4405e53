from mailroom.scoring.training import train


def model(dbt, session):
    return train(
        session,
        features=dbt.ref("customer_features"),
        outcomes=dbt.ref("customer_outcomes"),
        histories=dbt.ref("purchase_histories"),
        cutoffs=dbt.ref("feature_cutoffs"),
        hours=dbt.ref("customer_hours"),
        products=dbt.ref("product_outcomes"),
        categories=dbt.ref("category_outcomes"),
        traits=dbt.ref("customer_traits"),
    )
