"""A new colleague's first day in Chromium: password, security key, codes; then the next morning, and a lost key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from tests.browser.site import PASSWORD, Site

pytestmark = pytest.mark.browser
KEY = {
    "protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def as_in_production(site: Site) -> Iterator[None]:
    from safelight.casework.accounts.services import create_user

    site.users["newcomer"] = create_user(
        None, username="newcomer", name="Noor Newcomer (synthetic)", role="chief_officer", password=PASSWORD
    )
    with override_settings(SECOND_FACTOR_DUTY=True, FRESH_SIGN_IN_DUTY=True):
        yield
    who = site.users.pop("newcomer")
    site.users[f"newcomer-{who.pk}"] = who
    # The next test has one of its own; the ledger is asked at the end for what each of them was shown.
    type(who).objects.filter(pk=who.pk).update(username=f"newcomer-{who.pk}")
    site.shown[:] = [(f"newcomer-{who.pk}" if name == "newcomer" else name, path) for name, path in site.shown]


def give_password(who: Any) -> None:
    who.page.goto(who.site.url + "/sign-in/")
    who.fill("User name", who.username)
    who.fill("Password", PASSWORD)
    who.page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_security_key_from_the_first_day_to_its_loss(site: Site, visit: Any, as_in_production: None) -> None:
    """The only factor that a false sign-in page cannot take would not work in the browser, or not for everybody."""
    with visit("newcomer", sign_in=False) as who:
        tool = who.context.new_cdp_session(who.page)
        tool.send("WebAuthn.enable")
        key = tool.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})["authenticatorId"]
        give_password(who)
        who.page.wait_for_url("**/my-sign-in/needed/")
        who.look("second-factor-needed")
        who.press("Use a security key", "add-a-key")
        who.fill("Name of the key", "Blue key")
        # By keyboard alone: the button is a button.
        who.page.get_by_role("button", name="Add the key").focus()
        who.page.keyboard.press("Enter")
        who.page.wait_for_url("**/my-sign-in/codes/")
        who.look("codes-before")
        who.press("Show me ten codes", "codes-shown")
        codes = re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", who.page.inner_text("main"))
        assert len(codes) == 10
        who.press("I have kept them", "how-i-sign-in")
        assert "Blue key" in who.page.inner_text("main")
        who.press("Set up an authenticator app", "set-up-an-app")
        assert who.page.locator("svg.sl-qr").bounding_box()["width"] > 150
        who.go("/my-sign-in/password/", "change-password")
        who.press("Sign out")

        give_password(who)
        who.page.wait_for_url("**/sign-in/code/")
        who.look("second-factor-asked")
        assert not who.page.get_by_text("Your browser could not use the key").is_visible(), "nothing went wrong yet"
        who.page.get_by_role("button", name="Use a security key").click()
        who.page.wait_for_url(lambda url: "sign-in" not in url)
        who.press("Sign out")

        # The key is lost: the browser finds none, says so on the page, and a code opens the door once.
        tool.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})
        other = {**KEY, "transport": "usb"}
        tool.send("WebAuthn.addVirtualAuthenticator", {"options": other})
        give_password(who)
        who.page.wait_for_url("**/sign-in/code/")
        who.page.get_by_role("button", name="Use a security key").click()
        who.page.get_by_text("Your browser could not use the key").wait_for()
        who.look("key-not-found")
        who.fill("Number from your authenticator app, or a recovery code", codes[0])
        who.page.get_by_role("button", name="Continue").click()
        who.page.wait_for_url(lambda url: "sign-in" not in url)
        who.go("/my-sign-in/", "how-i-sign-in-later")
        assert "9 codes of ten left" in who.page.inner_text("main")


def test_without_javascript_an_app_is_set_up_and_a_password_changed(
    site: Site, visit: Any, as_in_production: None
) -> None:
    """Somebody whose browser runs no scripts could not enrol, and so not work."""
    from tests.web.security.people import number

    from safelight.casework.accounts.services import create_user

    create_user(None, username="plain", name="Plain (synthetic)", role="chief_officer", password=PASSWORD)
    with visit("plain", sign_in=False, javascript=False) as who:
        give_password(who)
        who.page.wait_for_url("**/my-sign-in/needed/")
        who.press("Use an authenticator app")
        secret = who.page.locator(".sl-key").inner_text().replace(" ", "")
        who.fill("Number of six figures", "000000")
        who.press("Set it up", "wrong-number")
        assert who.page.locator(".govuk-error-summary").count() == 1
        who.fill("Number of six figures", number(secret))
        who.press("Set it up", "codes-without-scripts")
        who.press("Show me ten codes")
        who.press("I have kept them")
        who.press(re.compile("^Sign out"))


def test_a_passkey_opens_the_door_alone_and_no_tab_stays_behind(site: Site, visit: Any, as_in_production: None) -> None:
    """A key with a PIN is two factors, and the password would be asked for all the same; and after signing out a case
    would go on standing in the tab beside."""
    with visit("newcomer", sign_in=False) as who:
        tool = who.context.new_cdp_session(who.page)
        tool.send("WebAuthn.enable")
        tool.send("WebAuthn.addVirtualAuthenticator", {"options": {**KEY, "transport": "internal"}})
        give_password(who)
        who.press("Use a security key")
        who.fill("Name of the key", "Own telephone")
        who.page.get_by_label("Sign in with this key alone").check()
        who.look("add-a-passkey")
        who.page.get_by_role("button", name="Add the key").click()
        who.page.wait_for_url("**/my-sign-in/codes/")
        who.go("/my-sign-in/", "how-i-sign-in-passkey")
        assert "Also without a password" in who.page.inner_text("main")
        beside = who.context.new_page()
        beside.goto(f"{site.url}/standards/")
        assert beside.locator("h1").inner_text() == "Standards"
        who.press("Sign out")
        beside.get_by_role("heading", name="You are signed out").wait_for()
        assert "Standard" not in beside.locator("body").inner_text() and "newcomer" not in beside.content().lower()
        beside.close()

        who.look("sign-in-with-passkey")
        who.page.get_by_role("button", name="Sign in with a passkey").focus()
        who.page.keyboard.press("Enter")
        who.page.wait_for_url(lambda url: "sign-in" not in url)
        # Left alone, the page clears itself when its time is over, whether or not the server can be reached.
        who.page.clock.install()
        who.go("/standards/")
        who.context.set_offline(True)
        who.page.clock.fast_forward("10:00")
        assert who.page.locator("h1").inner_text() == "Standards"
        who.page.clock.fast_forward("03:00:00")
        who.page.get_by_role("heading", name="You are signed out").wait_for()
        who.context.set_offline(False)


HOSTILE = """
async () => {
  const all = [Object, Array, Function, String];
  const shared = () => JSON.stringify(all.map((one) => Object.getOwnPropertyNames(one.prototype)));
  const before = shared();
  const names = ['__proto__', 'constructor.prototype', 'i18n.__proto__', 'i18n.constructor.prototype'];
  const said = names.map((name) => `data-${name}.polluted="yes"`).join(' ') + ' data-__proto__="{}"';
  const kinds = ['button', 'character-count', 'accordion', 'password-input', 'error-summary', 'file-upload', 'tabs',
    'radios', 'checkboxes', 'notification-banner', 'service-navigation', 'exit-this-page'];
  const host = document.createElement('div');
  const inside = '<input class="govuk-js-password-input-input" type="password"></div>';
  host.innerHTML = kinds.map((kind) => `<div ${said} data-module="govuk-${kind}">
    <textarea class="govuk-js-character-count" id="x-${kind}"></textarea>${inside}`).join('')
    + `<button id="htmx-hostile" hx-get="/healthz" hx-vals='{"__proto__": {"polluted": "yes"}}'
      hx-headers='{"__proto__": {"polluted": "yes"}}' hx-swap="none">x</button>`;
  document.body.append(host);
  for (const file of ['govuk-frontend/govuk-frontend.min.js', 'moj-frontend/moj-frontend.min.js']) {
    const { initAll } = await import(`/static/vendor/${file}`);
    try { initAll({ scope: host, onError: () => {} }); } catch (error) { /* refusing is right too */ }
  }
  htmx.process(host);
  htmx.trigger('#htmx-hostile', 'click');
  await new Promise((done) => setTimeout(done, 300));
  host.remove();
  return ({}).polluted === undefined && [].polluted === undefined && shared() === before;
}
"""


def test_no_address_and_no_attribute_reaches_what_all_objects_share(site: Site, visit: Any) -> None:
    """One value in an address would change every object of the page: what it sends, and whom it believes."""
    with visit("super", sign_in=False) as who:
        who.page.goto(
            f"{site.url}/sign-in/?__proto__[polluted]=yes&constructor.prototype.polluted=yes#__proto__.polluted=yes"
        )
        assert who.page.evaluate("({}).polluted === undefined")
        assert who.page.evaluate(HOSTILE)
