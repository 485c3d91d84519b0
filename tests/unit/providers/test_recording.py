"""A recording of a login holds nothing that opens the account it was made with."""

from __future__ import annotations

import base64
import json

from providers.recording import Passed, Recording, names_of

SESSION, OLDER, TAKEN = "s3ss10n-c00k13", "0ld3r-c00k13", "t4k3n-by-a-step"
ACCESS, REFRESH, ID_TOKEN = "4cc3ss-t0k3n", "r3fr3sh-t0k3n", "eyJhbGciOiJFUzI1NiJ9.eyJlbWFpbCI6ImoifQ.c2ln"


def passed(url: str, body: object, *cookies: str) -> Passed:
    headers = [("Set-Cookie", cookie) for cookie in cookies]
    return Passed("POST", url, 200, headers, base64.b64encode(json.dumps(body).encode()).decode())


def test_nothing_that_came_after_the_last_answer_is_in_it() -> None:
    recording = Recording("acme", [{"fields": {"password": "P4ssw0rd"}, "action": "answer"}])
    recording.passed = [
        passed("https://p.example/in", {"ok": True, "session": TAKEN}, f"sid={OLDER}; Path=/", "seen=true"),
        passed(f"https://p.example/next?s={TAKEN}", {"ok": True}, f'sid="{SESSION}"; Path=/'),
        passed(
            "https://p.example/t", {"access_token": ACCESS, "refresh_token": REFRESH, "id_token": ID_TOKEN}
        ),
    ]
    state = {
        "values": {"password": "P4ssw0rd"},
        "taken": {"session": TAKEN},
        "tokens": {"access_token": ACCESS, "refresh_token": REFRESH, "scopes": ["a"]},
        "cookies": [["https://p.example/next", f"sid={SESSION}; Path=/"]],
    }

    text = recording.text(names_of([{"password": "P4ssw0rd"}], state))

    for secret in (SESSION, OLDER, TAKEN, ACCESS, REFRESH, ID_TOKEN, "P4ssw0rd"):
        assert secret not in text
    again = Recording.of(text)
    assert json.loads(base64.b64decode(again.passed[0].body)) == {"ok": True, "session": "recorded-session"}
    assert again.passed[1].url == "https://p.example/next?s=recorded-session"
