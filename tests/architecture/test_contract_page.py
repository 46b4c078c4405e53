"""The page on the source contract names every column of it."""

import contract_page


def test_the_page_on_the_contract_is_that_of_the_contract() -> None:
    assert contract_page.PAGE.read_text(encoding="utf-8") == contract_page.page(), (
        "run python tests/architecture/contract_page.py"
    )
