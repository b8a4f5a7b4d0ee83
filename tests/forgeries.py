"""Forged and malformed tokens: what each is, by the section of the standard that it breaks, and how it is made.

All are signed with the right key, unless the signature is what is forged.
"""

import base64
import json
import zlib
from collections.abc import Iterator, Mapping

from tests.forging import (
    ABSENT,
    KINDS,
    Forgery,
    as_json,
    flipped,
    in_the_other_alphabet,
    member_before,
    of_another_kind,
    part_of,
    resigned,
    respelled,
    rewritten,
    signed_with,
    unaligned,
    unsigned,
    with_claims,
    with_header,
    with_own_claim,
    with_spare_bits,
)

A_KEY_OF_OTHERS = b"a-key-that-some-other-house-has-32"
_DAY = 86_400


def _rfc_8725() -> Iterator[tuple[str, Forgery]]:
    for alg in ("none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "RS256", "ES256", None, 256, True, ["HS256"]):
        yield f"3.1 alg {alg!r}, signed", with_header(alg=alg)
        yield f"3.1 alg {alg!r}, unsigned", unsigned(alg)
    yield "3.1 alg absent, signed", with_header(alg=ABSENT)
    yield "3.1 alg absent, unsigned", unsigned(ABSENT)
    for alg, digest in (("HS384", "sha384"), ("HS512", "sha512"), ("HS256", "sha512"), ("HS256", "sha1")):
        yield (
            f"3.1 alg {alg}, signed with the right key and {digest}",
            lambda genuine, alg=alg, digest=digest: genuine.forge({"alg": alg}, digest=digest),
        )
    yield "3.2 alg dir with enc", with_header(alg="dir", enc="A256GCM")
    yield "3.2 an encrypted token's five parts", respelled(lambda head, claims, mac: f"{head}..{claims}.{mac}.{mac}")

    yield "3.3 no signature", respelled(lambda head, claims, mac: f"{head}.{claims}.")
    yield "3.3 a signature with one bit changed", respelled(lambda head, claims, mac: f"{head}.{claims}.{flipped(mac)}")
    yield "3.3 a signature cut short", respelled(lambda head, claims, mac: f"{head}.{claims}.{mac[:-4]}")
    yield "3.3 a signature with more behind it", respelled(lambda head, claims, mac: f"{head}.{claims}.{mac}AAAA")
    yield (
        "3.3 a signature in bits to spare",
        respelled(lambda *parts: ".".join([*parts[:2], with_spare_bits(parts[2])])),
    )
    yield (
        "3.3 the signature of other claims",
        lambda genuine: ".".join(
            [*genuine.forge().split(".")[:2], genuine.forge(claims={"jti": "another"}).split(".")[2]]
        ),
    )
    yield (
        "3.3 a swapped subject",
        lambda genuine: ".".join(
            genuine.forge(claims={"sub": "another"} if at == 1 else {}).split(".")[at] for at in range(3)
        ),
    )
    yield (
        "3.3 a changed header",
        lambda genuine: ".".join(genuine.forge({"a": 1} if at == 0 else {}).split(".")[at] for at in range(3)),
    )

    yield "3.5 the key of somebody else", signed_with(lambda _: A_KEY_OF_OTHERS)
    yield "3.5 the empty key", signed_with(lambda _: b"")
    yield "3.5 the key id as key", signed_with(lambda genuine: str(genuine.header["kid"]).encode())
    yield "3.5 the key in base64", signed_with(lambda genuine: base64.b64encode(genuine.key))
    yield "3.5 the key in hexadecimal digits", signed_with(lambda genuine: genuine.key.hex().encode())
    yield "3.5 the key and a newline", signed_with(lambda genuine: genuine.key + b"\n")
    yield "3.5 the start of the key", signed_with(lambda genuine: genuine.key[:-1])
    yield "3.5 a key from a tutorial", signed_with(lambda _: b"your-256-bit-secret")

    yield "3.6 zip", with_header(zip="DEF")
    yield (
        "3.6 deflated claims",
        lambda genuine: genuine.sign(
            as_json({**genuine.header, "zip": "DEF"}), zlib.compress(as_json(genuine.claims))[2:-4]
        ),
    )

    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"):
        yield f"3.7 header in {encoding}", rewritten(lambda h, c, e=encoding: (h.decode().encode(e), c))
        yield f"3.7 claims in {encoding}", rewritten(lambda h, c, e=encoding: (h, c.decode().encode(e)))
    yield "3.7 bytes that are no UTF-8", rewritten(lambda head, claims: (head, claims[:-1] + b', "a": "\xff"}'))

    for issuer in ("another-house", "GATEHOUSE", "gatehouse/", "gatehouse ", "", ["gatehouse"], None, 1):
        yield f"3.8 iss {issuer!r}", with_claims(iss=issuer)
    for subject in ("", 1, None, ["another"], {}, True):
        yield f"3.8 sub {subject!r}", with_claims(sub=subject)

    for audience in ("another", "", "gatehouse", None, 1, [], {}):
        yield f"3.9 aud {audience!r}", with_claims(aud=audience)
    yield "3.9 aud a list of ours", lambda genuine: genuine.forge(claims={"aud": [genuine.kind.audience]})
    yield "3.9 aud a list with ours", lambda genuine: genuine.forge(claims={"aud": ["a", genuine.kind.audience]})
    yield "3.9 aud in capitals", lambda genuine: genuine.forge(claims={"aud": genuine.kind.audience.upper()})

    for kid in (
        *(ABSENT, "", None, 1, 1.5, True, [], {}, "another", "../../../../dev/null", "/etc/passwd", "LOCAL"),
        *("k1\x00", "k1' OR '1'='1", "http://127.0.0.1/keys", "${jndi:ldap://127.0.0.1/a}", "current", "__class__"),
    ):
        yield f"3.10 kid {'absent' if kid is ABSENT else repr(kid)}", with_header(kid=kid)
    yield "3.10 kid a list of ours", lambda genuine: genuine.forge({"kid": [genuine.header["kid"]]})
    yield "3.10 kid of a million characters", with_header(kid="k" * 1_000_000)
    own_key = {"kty": "oct", "k": part_of(A_KEY_OF_OTHERS), "alg": "HS256"}
    for name, value in (
        ("jwk", own_key),
        ("jku", "https://127.0.0.1/keys"),
        ("x5u", "https://127.0.0.1/chain"),
        ("x5c", ["MIIB"]),
        ("x5t", "AAAA"),
        ("x5t#S256", "AAAA"),
    ):
        yield f"3.10 {name} and its key", signed_with(lambda _: A_KEY_OF_OTHERS, **{name: value})
        yield f"3.10 {name} and our key", with_header(**{name: value})

    for typ in (ABSENT, "", None, 1, ["session+jwt"], "JWT", "jwt", "jose", "another+jwt", "jwt; kind=session"):
        yield f"3.11 typ {'absent' if typ is ABSENT else repr(typ)}", with_header(typ=typ)
    yield "3.11 typ in capitals", lambda genuine: genuine.forge({"typ": genuine.kind.typ.upper()})
    yield "3.11 typ with a space", lambda genuine: genuine.forge({"typ": genuine.kind.typ + " "})
    yield "3.11 typ with application/", lambda genuine: genuine.forge({"typ": "application/" + genuine.kind.typ})
    yield "3.11 typ in the claims", lambda genuine: genuine.forge({"typ": ABSENT}, {"typ": genuine.kind.typ})
    yield "3.11 cty", with_header(cty="JWT")
    yield (
        "3.11 a token in a token",
        lambda genuine: genuine.sign(as_json({**genuine.header, "cty": "JWT"}), genuine.forge().encode()),
    )

    for number in range(len(KINDS) - 1):
        yield f"3.12 the type of another kind, {number}", of_another_kind(number, typ=True, audience=False)
        yield f"3.12 the audience of another kind, {number}", of_another_kind(number, typ=False, audience=True)
        yield f"3.12 both of another kind, {number}", of_another_kind(number, typ=True, audience=True)
    yield "3.12 without what tells its kind", with_own_claim(lambda *_: ABSENT)
    yield "3.12 with null for what tells its kind", with_own_claim(lambda *_: None)
    yield "3.12 with a list of what tells its kind", with_own_claim(lambda genuine, name: [genuine.claims[name]])
    yield "3.12 with yes for what tells its kind", with_own_claim(lambda *_: True)
    yield "3.12 with an empty text for what tells its kind", with_own_claim(lambda *_: "")


def _rfc_7515() -> Iterator[tuple[str, Forgery]]:
    yield "3.1 nothing", lambda _: ""
    yield "3.1 dots alone", lambda _: ".."
    yield "3.1 one part", respelled(lambda _head, claims, _mac: claims)
    yield "3.1 two parts", respelled(lambda head, claims, _mac: f"{head}.{claims}")
    yield "3.1 four parts", respelled(lambda *parts: ".".join([*parts, parts[2]]))
    yield "3.1 a dot more behind", respelled(lambda *parts: ".".join([*parts, ""]))
    yield "3.1 a dot more before", respelled(lambda *parts: ".".join(["", *parts]))
    yield "3.1 five parts", respelled(lambda *parts: ".".join([*parts, "", ""]))
    yield "3.1 no header", respelled(lambda _head, claims, mac: f".{claims}.{mac}")
    yield "3.1 no claims", resigned(lambda head, _claims: (head, ""))
    yield "3.1 the parts in another order", respelled(lambda head, claims, mac: f"{claims}.{head}.{mac}")
    yield "3.1 a token twice", lambda genuine: f"{genuine.forge()},{genuine.forge()}"
    yield (
        "3.1 100 KB of claims and no subject",
        lambda genuine: genuine.forge(claims={"sub": ABSENT, "a": "x" * 100_000}),
    )
    yield (
        "3.2 a JSON serialization",
        lambda genuine: json.dumps(
            dict(zip(("protected", "payload", "signature"), genuine.forge().split("."), strict=True))
        ),
    )

    for where, space in (("space", " "), ("newline", "\n"), ("return", "\r\n"), ("tab", "\t"), ("no-break", "\u00a0")):
        yield f"2 a {where} within", resigned(lambda head, claims, s=space: (f"{head[:5]}{s}{head[5:]}", claims))
        yield f"2 a {where} behind the header", resigned(lambda head, claims, s=space: (head + s, claims))
        yield f"2 a {where} before the signature", respelled(lambda h, c, mac, s=space: f"{h}.{c}.{s}{mac}")
    for name, letter in (("ordinal", "\u0435"), ("full-width", "\uff21"), ("surrogate", "\ud800"), ("nul", "\x00")):
        yield f"2 a letter that is none of the alphabet, {name}", respelled(lambda h, c, m, e=letter: f"{e}{h}.{c}.{m}")
    for letter in "?#%!*=":
        yield f"2 {letter} within", resigned(lambda head, claims, e=letter: (head, f"{claims[:4]}{e}{claims[4:]}"))
    yield "2 a padded signature", respelled(lambda head, claims, mac: f"{head}.{claims}.{mac}=")
    yield "2 a padded header", resigned(lambda head, claims: (head + "=" * (-len(head) % 4 or 4), claims))
    yield (
        "2 padded claims",
        lambda genuine: genuine.sign_parts(
            part_of(as_json(genuine.header)), base64.urlsafe_b64encode(unaligned(as_json(genuine.claims))).decode()
        ),
    )
    yield (
        "2 bits to spare in the claims",
        lambda genuine: genuine.sign_parts(
            part_of(as_json(genuine.header)), with_spare_bits(part_of(unaligned(as_json(genuine.claims))))
        ),
    )
    yield "2 the alphabet with + and /", in_the_other_alphabet

    yield "4 alg twice, ours last", rewritten(lambda head, claims: (member_before('"alg": "none"')(head), claims))
    yield "4 typ twice, ours last", rewritten(lambda head, claims: (member_before('"typ": "JWT"')(head), claims))
    yield "4 kid twice, ours first", rewritten(lambda head, claims: (head[:-1] + b', "kid": "another"}', claims))
    yield "4 a header that nobody knows", with_header(made_up=1)
    for value in (["exp"], ["made_up"], ["b64"], [], "exp", None, {}, [1]):
        yield f"4.1.11 crit {value!r}", with_header(crit=value, made_up=1)
    for told in (b"", b"[]", b"null", b'"a"', b"1", b"{", b"{}", b"\xff", b"[" * 100_000, b'{"a":' * 100_000):
        shown = told[:6].decode(errors="replace")
        yield f"5.2 header {shown!r} of {len(told)} bytes", rewritten(lambda _head, claims, t=told: (t, claims))
        yield f"5.2 claims {shown!r} of {len(told)} bytes", rewritten(lambda head, _claims, t=told: (head, t))
    yield "5.2 header with a comment", rewritten(lambda head, claims: (b"/**/" + head, claims))
    yield "5.2 claims with more behind", rewritten(lambda head, claims: (head, claims + b"{}"))


def _rfc_7519() -> Iterator[tuple[str, Forgery]]:
    for name in ("iss", "sub", "aud", "exp", "iat", "jti"):
        yield f"4.1 {name} absent", with_claims(**{name: ABSENT})
    yield "4 sub twice, ours last", rewritten(lambda head, claims: (head, member_before('"sub": "another"')(claims)))
    yield "4 sub twice, ours first", rewritten(lambda head, claims: (head, claims[:-1] + b', "sub": "another"}'))
    yield "4 exp twice, ours last", rewritten(lambda head, claims: (head, member_before('"exp": 1')(claims)))
    for name in ("exp", "iat", "nbf"):
        for value in (None, True, "", [], {}, -1, 1e300, 10**400, 253_402_300_800, float("nan"), float("inf")):
            yield f"4.1 {name} {str(value)[:12]}", with_claims(**{name: value})
        yield f"4.1 {name} as text", lambda genuine, n=name: genuine.forge(claims={n: str(genuine.claims["exp"])})
        yield f"4.1 {name} with a fraction", lambda g, n=name: g.forge(claims={n: g.claims["iat"] + 0.5})
    yield "4.1 exp of 4,000 digits", with_claims(exp=int("9" * 4_000))
    yield "4.1 nbf tomorrow", lambda genuine: genuine.forge(claims={"nbf": genuine.claims["iat"] + _DAY})
    yield (
        "4.1 iat tomorrow",
        lambda genuine: genuine.forge(
            claims={"iat": genuine.claims["iat"] + _DAY, "exp": genuine.claims["exp"] + 2 * _DAY}
        ),
    )
    for token_id in ("", None, 1, [], True):
        yield f"4.1.7 jti {token_id!r}", with_claims(jti=token_id)


def _rfc_7797() -> Iterator[tuple[str, Forgery]]:
    yield "3 b64 true", with_header(b64=True)
    yield "3 b64 false", with_header(b64=False)
    yield "3 b64 false and critical", with_header(b64=False, crit=["b64"])
    yield (
        "3 b64 false and no claims",
        lambda genuine: genuine.sign_parts(part_of(as_json({**genuine.header, "b64": False, "crit": ["b64"]})), ""),
    )
    yield (
        "3 claims that are not encoded",
        lambda genuine: genuine.sign_parts(
            part_of(as_json({**genuine.header, "b64": False, "crit": ["b64"]})), as_json(genuine.claims).decode()
        ),
    )


def _table() -> Iterator[tuple[str, Forgery]]:
    for standard, forgeries in ((8725, _rfc_8725), (7515, _rfc_7515), (7519, _rfc_7519), (7797, _rfc_7797)):
        for name, forgery in forgeries():
            yield f"RFC {standard} {name}", forgery


FORGERIES: Mapping[str, Forgery] = dict(_table())
"""What each is by `RFC <number> <section> <what is wrong>`, and how it is made of a genuine token."""

assert len(FORGERIES) == len(list(_table())), "two forgeries have one name"
