"""The tables and columns the demo shop writes: the source contract of models/staging, as Arrow schemas.

tests/demo/test_demo.py holds this list against the YAML files, so the two cannot drift apart.
"""

import pyarrow as pa

TEXT = pa.string()
FLAG = pa.bool_()
TIME = pa.timestamp("us")  # naive UTC
DAY = pa.date32()
WHOLE = pa.int32()
MONEY = pa.decimal128(18, 2)
FOUR_DECIMALS = pa.decimal128(18, 4)


def _schema(text: str, **typed: pa.DataType) -> pa.Schema:
    """Schema of the columns named in `text`, in order; those in `typed` have that type, the rest are text."""
    return pa.schema([(name, typed.get(name, TEXT)) for name in text.split()])


SOURCES: dict[tuple[str, str], pa.Schema] = {
    ("crm", "contacts"): _schema(
        "contact_id email phone first_name last_name birth_date account_id street postal_code city country "
        "language time_zone has_marketing_consent marketing_consent_at created_at updated_at",
        birth_date=DAY,
        has_marketing_consent=FLAG,
        marketing_consent_at=TIME,
        created_at=TIME,
        updated_at=TIME,
    ),
    ("crm", "opportunities"): _schema(
        "opportunity_id contact_id stage amount created_at closed_at",
        amount=MONEY,
        created_at=TIME,
        closed_at=TIME,
    ),
    ("shop", "customers"): _schema(
        "customer_id email phone first_name last_name birth_date street postal_code city country language "
        "acquisition_channel accepts_marketing accepts_marketing_at created_at updated_at",
        birth_date=DAY,
        accepts_marketing=FLAG,
        accepts_marketing_at=TIME,
        created_at=TIME,
        updated_at=TIME,
    ),
    ("shop", "products"): _schema(
        "product_id name category brand price previous_price price_changed_at stock_quantity restocked_at "
        "is_replenishable created_at updated_at",
        price=MONEY,
        previous_price=MONEY,
        price_changed_at=TIME,
        stock_quantity=FOUR_DECIMALS,
        restocked_at=TIME,
        is_replenishable=FLAG,
        created_at=TIME,
        updated_at=TIME,
    ),
    ("shop", "orders"): _schema(
        "order_id customer_id email phone first_name last_name country visitor_id status currency "
        "total_amount discount_amount shipping_amount coupon_code sales_channel ordered_at updated_at",
        total_amount=MONEY,
        discount_amount=MONEY,
        shipping_amount=MONEY,
        ordered_at=TIME,
        updated_at=TIME,
    ),
    ("shop", "order_lines"): _schema(
        "order_line_id order_id product_id quantity unit_price line_amount discount_amount",
        quantity=FOUR_DECIMALS,
        unit_price=FOUR_DECIMALS,
        line_amount=MONEY,
        discount_amount=MONEY,
    ),
    ("shop", "refunds"): _schema(
        "refund_id order_id order_line_id customer_id product_id quantity amount reason refunded_at",
        quantity=FOUR_DECIMALS,
        amount=MONEY,
        refunded_at=TIME,
    ),
    ("web", "events"): _schema(
        "event_id visitor_id customer_id email session_id event_type product_id category order_id "
        "search_term quantity utm_source utm_campaign has_opt_out_signal occurred_at",
        quantity=FOUR_DECIMALS,
        has_opt_out_signal=FLAG,
        occurred_at=TIME,
    ),
    ("support", "tickets"): _schema(
        "ticket_id customer_id requester_email requester_phone requester_name subject status topic "
        "satisfaction created_at updated_at solved_at",
        satisfaction=WHOLE,
        created_at=TIME,
        updated_at=TIME,
        solved_at=TIME,
    ),
    ("esp", "profiles"): _schema(
        "profile_id email phone external_id first_name last_name birth_date country language time_zone "
        "preferred_categories preferred_frequency subscription_status created_at updated_at",
        birth_date=DAY,
        created_at=TIME,
        updated_at=TIME,
    ),
    ("esp", "campaigns"): _schema("campaign_id name subject message_class sent_at", sent_at=TIME),
    ("esp", "message_events"): _schema(
        "event_id message_id campaign_id profile_id event_type bounce_type url user_agent is_machine_open "
        "occurred_at",
        is_machine_open=FLAG,
        occurred_at=TIME,
    ),
    ("privacy", "consent_events"): _schema(
        "consent_event_id email phone customer_id visitor_id channel purpose status lawful_basis recorded_by "
        "form text_version confirmed_at occurred_at",
        confirmed_at=TIME,
        occurred_at=TIME,
    ),
    ("privacy", "requests"): _schema(
        "request_id email phone customer_id request_type status received_at completed_at",
        received_at=TIME,
        completed_at=TIME,
    ),
}

TRUTH: dict[tuple[str, str], pa.Schema] = {
    ("truth", "people"): _schema(
        "person_id household_id senior_person_id twin_person_id former_number_person_id birth_date joined_at "
        "dropped_out_at is_alive orders_per_year refund_propensity open_propensity best_send_hour time_zone "
        "rhythm_days price_tier",
        birth_date=DAY,
        joined_at=TIME,
        dropped_out_at=TIME,
        is_alive=FLAG,
        orders_per_year=MONEY,
        refund_propensity=FOUR_DECIMALS,
        open_propensity=FOUR_DECIMALS,
        best_send_hour=WHOLE,
        rhythm_days=WHOLE,
        price_tier=WHOLE,
    ),
    ("truth", "records"): _schema("source record_id person_id"),
    ("truth", "machine_events"): _schema("event_id kind"),
    ("truth", "duplicate_events"): _schema("source event_id kind order_id"),
    ("truth", "dirt"): _schema("source table key kind"),
}
