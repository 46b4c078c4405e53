"""mailroom render and mailroom lint: what they print, write and return."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from shop import SMALL, block, both, write

import mailroom.content
from mailroom.cli import main


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "facts.json").write_text(
        json.dumps({"first_name": "Adalbert", "cart_url": "https://pots.example/cart"})
    )
    return write(tmp_path / "content")


def call(shop: Path, *arguments: str) -> int:
    facts = str(shop.parent / "facts.json")
    return main(["render", "cart_1", "--facts", facts, "--content", str(shop), *arguments])


def test_render_prints_no_fact_and_writes_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(shop.parent.rglob("*"))
    assert call(shop) == 0
    printed = capsys.readouterr().out
    assert "subject    Your pots are waiting" in printed and "List-Unsubscribe-Post:" in printed
    assert "picks    shop, instead of products (products: products, currency are missing)" in printed
    assert "Adalbert" not in printed and sorted(shop.parent.rglob("*")) == before


def test_render_writes_both_parts(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(shop, "--to", str(tmp_path / "a" / "b"), "--language", "de", "--block", "opening=plain") == 0
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["message.html", "message.txt"]
    assert (tmp_path / "a" / "b" / "message.txt").read_text(encoding="utf-8").startswith("Guten Tag,\n")
    assert "Adalbert" not in capsys.readouterr().out


def test_render_as_json(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(shop, "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["choices"]["opening"] == {"slot": "opening", "block": "named", "wanted": "named", "why": ""}
    assert set(made) == {
        "message",
        "language",
        "html",
        "text",
        "subject",
        "preheader",
        "headers",
        "choices",
        "size",
    }


WRONG: dict[str, tuple[list[str], str]] = {
    "block": (["--block", "opening"], "--block is SLOT=NAME, once per slot, not 'opening'."),
    "slot twice": (["--block", "call=cart", "--block", "call=shop"], "once per slot"),
    "language": (["--language", "fr"], "There is no language fr"),
    "content": (["--content", "nowhere"], "There is no folder nowhere"),
    "facts": (["--facts", "nowhere.json"], "nowhere.json can't be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_ends_with_a_sentence(name: str, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, sentence = WRONG[name]
    assert call(shop, *arguments) == 1
    printed = capsys.readouterr()
    assert sentence in printed.err and printed.out == ""


@pytest.mark.parametrize("text", ["", "[1]", '{"first_name": Secret}', "[" * 10_000, '"Secret"'])
def test_facts_that_are_no_object_are_not_repeated(
    text: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop.parent / "facts.json").write_text(text)
    assert call(shop) == 1
    error = capsys.readouterr().err
    assert error.startswith("mailroom render: The facts ") and "Secret" not in error


def test_lint_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(write(tmp_path / "good", files=SMALL))
    assert main(["lint", "--content", folder]) == 0
    assert capsys.readouterr().out.startswith("0 errors, ")
    changes = both("blocks/opening/plain.{}.mjml", block("<mj-text><h1>Hurry</h1></mj-text>"))
    folder = str(write(tmp_path / "bad", changes, SMALL))
    assert main(["lint", "--content", folder]) == 1
    assert "error    blocks/opening/plain.en.mjml:7: " in capsys.readouterr().out
    assert main(["lint", "--content", folder, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["exit_code"] == 1 and found["findings"][0]["rule"] == "banned word"


def test_lint_of_broken_files_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(write(tmp_path, {"blocks/opening/plain.en.mjml": "x"}))
    assert main(["lint", "--content", folder]) == 1
    assert "blocks/opening/plain.en.mjml:1: The front matter is missing" in capsys.readouterr().err


def test_without_the_extra_a_sentence_says_how_to_install_it(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(name: str, *others: Any) -> Any:
        return None if name == "mrml" else find_spec(name, *others)

    monkeypatch.setattr(mailroom.content, "find_spec", without)
    for arguments in (
        ["lint", "--content", str(shop)],
        ["render", "cart_1", "--facts", "x", "--content", str(shop)],
    ):
        assert main(arguments) == 1
        error = capsys.readouterr().err
        assert 'pip install "mailroom[content]"' in error and "requirements-content.txt" in error
