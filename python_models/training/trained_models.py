from mailroom.scoring.training import train


def model(dbt, session):
    return train(
        session,
        features=dbt.ref("customer_features"),
        outcomes=dbt.ref("customer_outcomes"),
        histories=dbt.ref("purchase_history_groups"),
        cutoffs=dbt.ref("feature_cutoffs"),
        hours=dbt.ref("customer_active_hours"),
        products=dbt.ref("recommendation_backtest"),
        categories=dbt.ref("category_outcomes"),
        traits=dbt.ref("customer_traits"),
    )
