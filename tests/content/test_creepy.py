"""Forty sentences: twenty that help, twenty that recite how a customer was watched."""

import re

import pytest

from mailroom.content.creepy import over_the_line
from mailroom.content.model import Pattern

HELPFUL = [
    "You left a casserole in your cart.",
    "Your cart is as you left it.",
    "The pan that you viewed is back in stock.",
    "The casserole costs 10 euros less than last week.",
    "Still thinking about the blue kettle?",
    "Here are three lids that fit your pot.",
    "Your order is on its way and arrives on 1 July.",
    "It may be time for new filters.",
    "Tell us how you like your knife.",
    "We keep your cart for seven days.",
    "Choose what we send you, and how often.",
    "We are open until 6 pm on Saturdays.",
    "In Ihrem Warenkorb liegt noch ein Bräter.",
    "Der Topf, den Sie sich angesehen haben, ist wieder da.",
    "Ihre Bestellung kommt am 1. Juli an.",
    "Diese Deckel passen zu Ihrem Topf.",
    "Haben Sie Fragen? Wir helfen gern.",
    "Sagen Sie uns, was Ihnen gefällt.",
    "Unser Laden ist bis 18 Uhr geöffnet.",
    "Wir haben neue Pfannen für Sie ausgesucht.",
]
CREEPY = [
    "You looked at the casserole four times this week.",
    "You've viewed this pan 7 times.",
    "This was your third visit to the blue kettle.",
    "Twice you came back, and twice you looked at it.",
    "You browsed our knives at 11:42 pm.",
    "Last night you were looking at kettles.",
    "You spent six minutes on this page.",
    "You looked at it for a long while.",
    "You didn't buy the casserole.",
    "You haven't ordered from us since May.",
    "You left without buying.",
    "We noticed that you like copper.",
    "We've been watching your cart.",
    "You searched for pans on your phone.",
    "Sie haben den Topf dreimal angesehen.",
    "Gestern Abend haben Sie nach Messern gesucht.",
    "Sie haben fünf Minuten auf dieser Seite verbracht.",
    "Sie haben den Bräter noch nicht gekauft.",
    "Uns ist Ihr Besuch aufgefallen.",
    "Wir haben gesehen, was Sie suchen.",
]


def test_there_are_twenty_of_each() -> None:
    assert len(set(HELPFUL)) == len(set(CREEPY)) == 20


@pytest.mark.parametrize("sentence", HELPFUL)
def test_a_helpful_sentence_may_be_sent(sentence: str) -> None:
    assert over_the_line(sentence) == []


@pytest.mark.parametrize("sentence", CREEPY)
def test_a_creepy_sentence_is_found(sentence: str) -> None:
    assert over_the_line(sentence)


def test_two_sentences_do_not_make_a_creepy_one() -> None:
    assert over_the_line("You looked at pans. We baked three times.") == []


def test_a_shop_adds_patterns() -> None:
    found = over_the_line("We miss you.", [Pattern(re.compile("miss you"), "presses")])
    assert found == [(3, 11, "presses")]
