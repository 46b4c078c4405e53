from mailroom.measurement.experiments import compare_arms


def model(dbt, session):
    return compare_arms(
        session, dbt.ref("experiment_sums"), dbt.ref("experiments"), dbt.ref("experiment_sizes")
    )
