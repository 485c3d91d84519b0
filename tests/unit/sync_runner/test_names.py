"""Names that every target takes: by example, and by rules that hold for any text."""

from __future__ import annotations

import unicodedata
from datetime import date

import pathvalidate
import pytest
from hypothesis import assume, given, strategies as st

from schemas.documents import Metadata
from schemas.patterns import PLACEHOLDERS, Facts, WrongPattern, complaint, parse
from sync_runner.names import PLAIN, Naming, Rules, key, numbered, preview, safe

WINDOWS = Rules(forbidden='<>:"|?*', max_bytes=255, case_sensitive=False)
INVOICE = Facts(
    "doc-1",
    "Rechnung 7.pdf",
    Metadata(
        document_type="invoice",
        number="2026/0007",
        issue_date=date(2026, 5, 9),
        seller_name="Müller & Söhne",
        buyer_name="ACME",
        gross_amount="119.00",
        currency="EUR",
    ),
)
NAMES = st.text(max_size=400) | st.text(alphabet="./\\ \u202e\u200d\u0301aé🧾👨‍👩‍👧:*?\x00\n~", max_size=40)
RULES = st.builds(
    Rules,
    forbidden=st.sampled_from(["", ':*?"<>|', "#%&{}~"]),
    max_bytes=st.integers(40, 300),
    case_sensitive=st.booleans(),
)


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("a\\b/c.pdf", "a_b_c.pdf"),
        ("..", "none"),
        (" . . ", "none"),
        ("", "none"),
        ("CON", "CON_"),
        ("con.pdf", "con_.pdf"),
        ("Lpt¹ .tar.gz", "Lpt¹_.tar.gz"),
        ("console.pdf", "console.pdf"),
        ("bill\r\n.pdf", "bill__.pdf"),
        ("bill\0.pdf", "bill_.pdf"),
        ("é" * 300, "é" * 127),
        ("bill.pdf. . ", "bill.pdf"),
        ("  bill.pdf", "bill.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\ufeffbill.pdf", "bill.pdf"),
        ("Mu\u0308ller.pdf", "Müller.pdf"),
        ("\ud800.pdf", "_.pdf"),
        (".htaccess", ".htaccess"),
        ("🧾 facture.pdf", "🧾 facture.pdf"),
        ("a:b?.pdf", "a:b?.pdf"),
    ],
)
def test_an_odd_name_becomes_a_plain_one(odd: str, name: str) -> None:
    assert safe(odd) == name


def test_characters_that_only_this_target_forbids_are_replaced() -> None:
    assert safe("Re: 50% <neu>?.pdf", WINDOWS) == "Re_ 50% _neu__.pdf"


def test_a_long_name_is_cut_between_characters_and_keeps_its_extension() -> None:
    assert safe("é" * 300 + ".pdf") == "é" * 125 + ".pdf"
    assert safe("👨‍👩‍👧" * 40 + ".pdf").encode().decode() == "👨‍👩‍👧" * 13 + ".pdf"
    assert safe("x" * 400) == "x" * 255


def test_what_only_looks_like_an_extension_is_not_kept_at_the_expense_of_the_name() -> None:
    assert safe("Invoice No. 12 of May " + "x" * 300).startswith("Invoice No. 12")


def test_a_taken_name_is_numbered_before_its_extension_and_within_limits() -> None:
    assert numbered("bill.pdf", 1) == "bill.pdf"
    assert numbered("bill.pdf", 2) == "bill (2).pdf"
    assert numbered("README", 11) == "README (11)"
    assert numbered("x" * 251 + ".pdf", 2) == "x" * 247 + " (2).pdf"


@given(NAMES, RULES)
def test_a_name_is_safe_whatever_it_was(text: str, rules: Rules) -> None:
    name = safe(text, rules)

    assert 0 < len(name.encode()) <= rules.max_bytes
    assert name not in (".", "..")
    assert not set(name) & set("/\\\0\n" + rules.forbidden)
    assert unicodedata.is_normalized("NFC", name)
    assert name == name.rstrip(". ").lstrip(" ")
    assert safe(name, rules) == name


@given(NAMES)
def test_a_name_for_windows_is_valid_there_by_another_ones_judgement(text: str) -> None:
    name = safe(text, WINDOWS)

    assert pathvalidate.is_valid_filename(name, platform="windows", max_len=255)


@given(NAMES, st.integers(2, 10**6), RULES)
def test_a_numbered_name_is_as_safe_and_another(text: str, step: int, rules: Rules) -> None:
    name = numbered(safe(text, rules), step, rules)

    assert safe(name, rules) == name
    assert name != safe(text, rules)
    assert f"({step})" in name


@given(st.builds(Facts, NAMES, NAMES), st.text(max_size=60), st.text(max_size=60), RULES)
def test_no_document_leaves_its_folder_whatever_the_patterns_are(
    facts: Facts, folder: str, filename: str, rules: Rules
) -> None:
    assume(complaint("folder", folder) is None and complaint("filename", filename) is None)
    naming = Naming.of(folder, filename, rules)
    place = naming.place(facts)

    assert place.path.startswith(naming.fixed)
    assert all(part not in ("", ".", "..") for part in place.path[1:].split("/"))
    assert place.folder.count("/") == max(len(naming.folder), 1)
    assert naming.place(facts) == place


@given(st.builds(Facts, NAMES, NAMES))
def test_every_placeholder_stays_within_its_name(facts: Facts) -> None:
    for name in PLACEHOLDERS:
        place = Naming.of(f"/in/{{{name}}}", f"{{{name}}}").place(facts)

        assert place.path.count("/") == 3
        assert place.path.startswith("/in/")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{filename}", "Rechnung 7.pdf"),
        ("{stem}{ext}", "Rechnung 7.pdf"),
        ("{document_id}{ext}", "doc-1.pdf"),
        ("{issue_date} {number} {seller_name}{ext}", "2026-05-09 2026_0007 Müller & Söhne.pdf"),
        ("{year}-{month}-{day} Q{quarter}", "2026-05-09 Q2"),
        ("{document_type}_{buyer_name}_{gross_amount}{currency}", "invoice_ACME_119.00EUR"),
        ("{{{stem}}}", "{Rechnung 7}"),
        ("a{{b}", "a{b}"),
    ],
)
def test_a_pattern_is_filled_from_the_document(pattern: str, name: str) -> None:
    assert Naming.of("/", pattern).place(INVOICE).name == name


def test_an_empty_value_becomes_none() -> None:
    bare = Facts("d", "bill.pdf", Metadata(seller_name="  "))

    assert preview("/{year}/{seller_name}", "{number}{ext}", [bare]) == ["/none/none/none.pdf"]


@pytest.mark.parametrize(
    ("option", "pattern", "words"),
    [
        ("filename", "{nummer}", "{nummer} is no placeholder"),
        ("filename", "{}", "is no placeholder"),
        ("filename", "{stem", "not closed"),
        ("filename", "a/b", "holds no slash"),
        ("filename", " ", "needs a pattern"),
        ("folder", "/a/../b", "without . or .."),
        ("folder", "/a/ .. /b", "without . or .."),
        ("folder", "x" * 501, "at most 500"),
    ],
)
def test_a_wrong_pattern_is_told_in_a_sentence(option: str, pattern: str, words: str) -> None:
    assert words in (complaint(option, pattern) or "")  # type: ignore[arg-type]  # parametrised


def test_a_right_pattern_brings_no_complaint() -> None:
    assert complaint("folder", "/Rechnungen/{year}/{{x") is None
    assert complaint("filename", "{stem} {{draft}}{ext}") is None


def test_the_part_before_the_first_placeholder_is_the_fixed_one() -> None:
    assert Naming.of("/Buch/in/{year}/x", "{filename}").fixed == "/Buch/in"
    assert Naming.of("Buch//in/", "{filename}").fixed == "/Buch/in"
    assert Naming.of("/Buch/{year}-x", "{filename}").fixed == "/Buch"
    assert Naming.of("/", "{filename}").fixed == "/"
    assert Naming.of("/", "{filename}").place(INVOICE).path == "/Rechnung 7.pdf"


def test_documents_of_one_name_are_numbered_in_a_preview() -> None:
    twins = [Facts("1", "A.pdf"), Facts("2", "a.pdf"), Facts("3", "A.pdf")]

    assert preview("/in", "{filename}", twins) == ["/in/A.pdf", "/in/a.pdf", "/in/A (2).pdf"]
    assert preview("/in", "{filename}", twins, WINDOWS) == ["/in/A.pdf", "/in/a (2).pdf", "/in/A (3).pdf"]
    assert key("/ÀB", WINDOWS) == key("/àb", WINDOWS) != key("/àb", PLAIN) + "x"


def test_a_step_is_recognised_again() -> None:
    place = Naming.of("/in", "{filename}").place(Facts("1", "a (2).pdf"))

    assert [place.step_of(place.step(n, PLAIN), PLAIN) for n in (1, 2, 31)] == [1, 2, 31]
    assert place.step_of("/in/a.pdf", PLAIN) is None


@given(st.text(max_size=80))
def test_reading_a_pattern_ends_in_parts_or_in_a_sentence(pattern: str) -> None:
    try:
        parts = parse(pattern)
    except WrongPattern:
        return
    plain = "".join(part.value for part in parts if part.kind == "text")

    assert len(plain) <= len(pattern)
