"""A QR code is an SVG element that can stand anywhere, as large as its frame."""

from xml.etree import ElementTree as ET

from gatehouse.accounts import qr, totp

URI = totp.uri(b"12345678901234567890", account="john", issuer="Gatehouse")
SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_one_svg_element_without_a_size_of_its_own() -> None:
    told = qr.svg(URI)
    root = ET.fromstring(told)  # noqa: S314 - made here
    assert told.startswith("<svg ")
    assert (root.tag, set(root.attrib)) == (f"{SVG}svg", {"viewBox", "class"})
    assert {child.tag for child in root} == {f"{SVG}path"}


def test_it_has_nothing_but_lines_to_draw() -> None:
    told = qr.svg(URI)
    assert "script" not in told
    assert "secret" not in told
    assert len(told) < 8_000


def test_the_same_text_gives_the_same_picture_and_another_text_another() -> None:
    assert qr.svg(URI) == qr.svg(URI) != qr.svg(f"{URI}0")
