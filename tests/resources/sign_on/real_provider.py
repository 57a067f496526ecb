"""A real OpenID provider on loopback, by other people than the desk's client: idpyoidc behind a page with user and password.

`running.py` starts it as a process. Whoever types a wrong password is asked again.
"""

from __future__ import annotations

import json
import sys
import threading
from html import escape
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from cryptojwt.key_jar import init_key_jar
from idpyoidc.message.oidc import AccessTokenRequest, AuthorizationRequest
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from idpyoidc.server.exception import FailedAuthentication, UnAuthorizedClient
from idpyoidc.server.user_authn.user import UserAuthnMethod, create_signed_jwt

from tests.resources.sign_on.running import CLIENT, PASSWORD, PEOPLE, SECRET

_KEYS = [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]


class AskedOnAPage(UserAuthnMethod):
    """User and password on a page; what the provider must remember meanwhile travels in a signed token."""

    url_endpoint = "/verify"

    def __call__(self, **given: Any) -> str:
        token = create_signed_jwt(
            self.upstream_get("context").issuer, self.upstream_get("attribute", "keyjar"), **given
        )
        asked = AuthorizationRequest().from_urlencoded(given["query"])
        cancel = f"{asked['redirect_uri']}?error=access_denied&state={quote(asked['state'])}"
        return (
            "<!doctype html><html lang='en'><title>Provider</title><h1>Provider</h1>"
            f"<form method='post' action='{self.url_endpoint}'>"
            f"<input type='hidden' name='token' value='{escape(token)}'>"
            "<label>Name <input name='username'></label> "
            "<label>Secret <input name='password' type='password'></label> "
            f"<button>Enter</button></form><a href='{escape(cancel)}'>Cancel</a></html>"
        )

    def verify(self, **given: Any) -> str:
        if given["username"] not in PEOPLE or given["password"] != PASSWORD:
            raise FailedAuthentication
        return given["username"]


def configured(issuer: str) -> dict[str, Any]:
    methods = ["client_secret_basic", "client_secret_post"]
    oidc = "idpyoidc.server.oidc"
    return {
        "issuer": issuer,
        "httpc_params": {"verify": True},
        "key_conf": {"key_defs": _KEYS},
        "capabilities": {
            "subject_types_supported": ["public"],
            "grant_types_supported": ["authorization_code"],
            "response_types_supported": ["code"],
        },
        "add_on": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True, "code_challenge_method": "S256"},
            }
        },
        "authz": {
            "class": "idpyoidc.server.authz.AuthzHandling",
            "kwargs": {
                "grant_config": {
                    "usage_rules": {
                        "authorization_code": {
                            "supports_minting": ["access_token", "id_token"],
                            "max_usage": 1,
                        },
                        "access_token": {},
                    },
                    "expires_in": 600,
                }
            },
        },
        "authentication": {
            "user": {
                "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword",
                "class": AskedOnAPage,
                "kwargs": {},
            }
        },
        "claims_interface": {"class": "idpyoidc.server.session.claims.ClaimsInterface", "kwargs": {}},
        "cookie_handler": {
            "class": "idpyoidc.server.cookie_handler.CookieHandler",
            "kwargs": {
                "keys": {
                    "key_defs": [
                        {"type": "OCT", "use": ["enc"], "kid": "enc"},
                        {"type": "OCT", "use": ["sig"], "kid": "sig"},
                    ]
                },
                "name": {"session": "op", "register": "op_rp", "session_management": "op_sman"},
            },
        },
        "endpoint": {
            "provider_config": {
                "path": ".well-known/openid-configuration",
                "class": f"{oidc}.provider_config.ProviderConfiguration",
                "kwargs": {"client_authn_method": None},
            },
            "authorization": {
                "path": "authorization",
                "class": f"{oidc}.authorization.Authorization",
                "kwargs": {"client_authn_method": None},
            },
            "token": {
                "path": "token",
                "class": f"{oidc}.token.Token",
                "kwargs": {"client_authn_method": methods},
            },
        },
        "token_handler_args": {
            "key_conf": {"key_defs": [{"type": "oct", "bytes": 24, "use": ["enc"], "kid": "code"}]},
            "code": {"lifetime": 60, "kwargs": {"crypt_conf": {"kwargs": {"password": "p", "salt": "s"}}}},
            "token": {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {"lifetime": 60}},
            "id_token": {
                "class": "idpyoidc.server.token.id_token.IDToken",
                "kwargs": {"base_claims": {"preferred_username": None}},
            },
        },
        "userinfo": {
            "class": "idpyoidc.server.user_info.UserInfo",
            "kwargs": {"db": {each: {"preferred_username": each} for each in PEOPLE}},
        },
    }


def provider(issuer: str) -> Server:
    jar = init_key_jar(key_defs=_KEYS, issuer_id=issuer)
    jar.import_jwks(jar.export_jwks(True, issuer), "")
    server = Server(OPConfiguration(configured(issuer), base_path=""), keyjar=jar)
    server.context.cdb[CLIENT] = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uris": [],
        "response_types_supported": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "allowed_scopes": ["openid", "profile"],
    }
    server.context.keyjar.add_symmetric(CLIENT, SECRET)
    server.context.provider_info["jwks_uri"] = f"{issuer}/keys"
    return server


class Handler(BaseHTTPRequestHandler):
    """The provider over HTTP."""

    op: Server

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if path == "/.well-known/openid-configuration":
            self._endpoint("provider_config", query)
        elif path == "/authorization":
            self._endpoint("authorization", query)
        elif path == "/keys":
            self._send(200, self.op.context.keyjar.export_jwks(issuer_id=self.op.issuer))
        else:
            self._send(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = dict(parse_qsl(body))
        if self.path == "/token":
            self._endpoint("token", form)
        elif self.path == "/verify":
            self._verify(form)
        else:
            self._send(404, {})

    def _endpoint(self, name: str, given: dict[str, str]) -> None:
        endpoint = self.op.get_endpoint(name)
        cookies = [
            {"name": morsel.key, "value": morsel.value}
            for morsel in SimpleCookie(self.headers.get("cookie", "")).values()
        ]
        info = {
            "headers": {key.lower(): value for key, value in self.headers.items()},
            "method": self.command,
            "url": f"{self.op.issuer}{self.path}",
            "cookie": cookies,
        }
        try:
            request = endpoint.parse_request(given, http_info=info)
        except UnAuthorizedClient:
            self._send(401, {"error": "invalid_client"})
            return
        if "error" in request:
            self._send(400, request.to_dict())
            return
        if name == "token":
            request = AccessTokenRequest(**request)
        args = endpoint.process_request(request, http_info=info)
        if "http_response" in args:
            self._page(200, args["http_response"])
        elif "error" in args:
            self._send(400, args.to_dict() if hasattr(args, "to_dict") else dict(args))
        else:
            self._respond(endpoint, request, args)

    def _verify(self, form: dict[str, str]) -> None:
        method = self.op.context.authn_broker.get_method_by_id("user")
        kept = method.unpack_token(form["token"])
        try:
            user = method.verify(**form)
        except FailedAuthentication:
            self._page(403, method(query=kept["query"], authn_class_ref=kept["authn_class_ref"]))
            return
        request = AuthorizationRequest().from_urlencoded(kept["query"])
        endpoint = self.op.get_endpoint("authorization")
        session = endpoint.create_session(request, user, kept["authn_class_ref"], 0, method)
        self._respond(endpoint, request, endpoint.authz_part2(request=request, session_id=session))

    def _respond(self, endpoint: Any, request: Any, args: Any) -> None:
        info = endpoint.do_response(request=request, **args)
        cookies = info.get("cookie", [])
        if info.get("response_placement", endpoint.response_placement) == "body":
            self._send(info.get("response_code", 200), info["response"], cookies)
        else:
            self._page(303, "", cookies, location=info["response"])

    def _send(self, status: int, body: Any, cookies: Any = ()) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self._page(status, text, cookies, kind="application/json")

    def _page(
        self, status: int, text: str, cookies: Any = (), *, kind: str = "text/html", location: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        if location:
            self.send_header("location", location)
        for each in cookies:
            self.send_header("set-cookie", f"{each['name']}={each['value']}; Path=/; HttpOnly; SameSite=Lax")
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = f"http://localhost:{listening.server_port}"
    Handler.op = provider(issuer)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    print(issuer, flush=True)  # noqa: T201 - whoever started this waits for it
    for line in sys.stdin:  # a desk's address
        Handler.op.context.cdb[CLIENT]["redirect_uris"].append((line.strip(), {}))
        print("known", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
