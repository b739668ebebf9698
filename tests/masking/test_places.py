"""Where a secret stands in a text: exactly what is cut out, and what is left to be read."""

from __future__ import annotations

import time

import pytest

from kustomizer.masking.names import is_secret
from kustomizer.masking.places import CODE, in_text, in_words
from tests.examples import sample

HASH = "$2b$12$1kLKxcm9HOiUaflHxpzvG.Y9HAfuDKZY3OTz0/r94LhgkyVuP8k7u"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nowIB\n-----END RSA PRIVATE KEY-----"
HUGE = {
    "letters": "a" * 200_000,
    "names": "password" * 20_000,
    "assignments": "password='" * 20_000,
    "colons": "password: " * 20_000,
    "backslashes": 'password="' + "\\" * 200_000,
    "escaped quotes": '\\"password\\": \\"' * 10_000,
    "URLs": "http://a:" * 20_000,
    "options": "--password " * 20_000,
    "brackets": "basic_auth: [" + "[" * 200_000,
    "keys": "-----BEGIN PRIVATE KEY-----" * 5_000,
    "commands": "mysql " * 30_000,
    "users": "user a " * 30_000,
    "lines": "password:\n" * 20_000,
    "items": "secrets:\n" + "- a\n" * 40_000,
    "deep": "password: |\n" + " a\n" * 60_000,
    "blanks": "password" + " " * 200_000 + "\n" * 1_000,
    "engines": "mysql('a', " * 20_000,
    "dots": "secret." * 30_000,
    "variables": '{"name": "TOKEN", "value": ' * 10_000,
    "entries below": "passwords:\n" + " a: b\n" * 40_000,
    "many below": "passwords:\n  a: b\n" * 10_000,
    "types": "secret: str " * 20_000,
    "settings": "SET PASSWORD " * 20_000,
    "calls": "set_password('" * 20_000,
    "perhaps": "a -p Aa1!" * 20_000,
    "authorizations": "Authorization: Token " * 10_000,
    "nested": "credentials:\n " * 20_000,
    "entries": "a:5432:b:c:" * 20_000,
    "headers": "x-key-" * 30_000,
}


def cut(text: str, file: str = "a.yml") -> str:
    for start, end in reversed(in_text(text, code=file.endswith(CODE))):
        text = f"{text[:start]}#{text[end:]}"
    return text


@pytest.mark.parametrize(
    ("file", "text", "left"),
    [
        ("a.yml", 'PASSWORD: "abc" # why', 'PASSWORD: "#" # why'),
        ("a.yml", "PASSWORD: abc # why", "PASSWORD: # # why"),
        ("a.yml", "db: {user: me, password: abc, port: 1}", "db: {user: me, password: #, port: 1}"),
        ("a.yml", "password:\n  abc\nuser: me", "password:\n  #\nuser: me"),
        ("a.yml", "password: |\n  a\n  b\nuser: me", "password: |\n#\nuser: me"),
        ("a.yml", "password: a\n  b\nuser: me", "password: #\nuser: me"),
        ("a.yml", "api_keys:\n- abc\n- def\nuser: me", "api_keys:\n- #\n- #\nuser: me"),
        ("a.yml", "passwords:\n  me: abc\n  you: def\nuser: me", "passwords:\n  me: #\n  you: #\nuser: me"),
        ("a.yml", "credentials:\n  user: me\n  value: abc\nuser: me", "credentials:\n  user: me\n  value: #\nuser: me"),
        ("a.yml", "credentials: abc\nuser: me", "credentials: #\nuser: me"),
        ("a.conf", "# credentials service\ncredentials abc\n", "# credentials service\ncredentials abc\n"),
        ("a.yml", "creds:\n- abc\nuser: me", "creds:\n- #\nuser: me"),
        ("a.yml", "- passwords:\n  - abc\n- user: me", "- passwords:\n  - #\n- user: me"),
        ("a.yml", "passwords:\n- abc\n- password: |\n    def\nuser: me", "passwords:\n- #\n- password: |\n#\nuser: me"),
        ("a.yml", "password: a\n  password: b\n\n  c\nuser: me", "password: #\nuser: me"),
        ("a.yml", "credentials:\n  secretRef:\n    name: abc", "credentials:\n  secretRef:\n    name: abc"),
        ("a.js", "fetch(a, {credentials: include})", "fetch(a, {credentials: include})"),
        ("a.yml", "secrets:\n- name: abc\n  key: def", "secrets:\n- name: abc\n  key: def"),
        ("a.yml", "password: 'it''s'\nuser: me", "password: '#'\nuser: me"),
        ("a.json", '{"token": "a\\"b", "user": "me"}', '{"token": "#", "user": "me"}'),
        ("a.json", '[{"name": "X_TOKEN", "value": "abc"}]', '[{"name": "X_TOKEN", "value": "#"}]'),
        ("a.json", '[{"name": "X_HOST", "value": "abc"}]', '[{"name": "X_HOST", "value": "abc"}]'),
        ("a.yml", "env:\n- name: X_TOKEN\n  value: abc\n- name: Y", "env:\n- name: X_TOKEN\n  value: #\n- name: Y"),
        ("a.py", "SECRET_KEY: str = 'abc'", "SECRET_KEY: str = '#'"),
        ("a.py", "SECRET_KEY += 'abc'", "SECRET_KEY += '#'"),
        ("a.sh", "serve -p Zq7kV9xL -u me", "serve -p # -u me"),
        ("a.sh", "serve -p 'Zq7!kV9xL' -u me", "serve -p '#' -u me"),
        ("a.sh", 'mkdir -p $HOME/Data1 && nc -p 8080 "$A"', 'mkdir -p $HOME/Data1 && nc -p 8080 "$A"'),
        ("a.py", "user.set_password('abc')", "user.set_password('#')"),
        ("a.sql", "SET PASSWORD FOR 'me'@'%' = 'abc';", "SET PASSWORD FOR 'me'@'%' = '#';"),
        ("a.sql", "SET PASSWORD = PASSWORD('abc');", "SET PASSWORD = PASSWORD('#');"),
        ("a.py", '{"Authorization": "Token abcdef"}', '{"Authorization": "Token #"}'),
        ("a.py", '{"Authorization": f"Token {key}"}', '{"Authorization": f"Token {key}"}'),
        ("a.sh", "sshpass -p abc ssh x", "sshpass -p # ssh x"),
        ("a.sh", "curl -H 'X-API-Key: abcdef' x", "curl -H 'X-API-Key: #' x"),
        (".netrc", "machine x login me password abc", "machine x login me password #"),
        (".pgpass", "host:5432:db:me:abc\n", "host:5432:db:me:#\n"),
        ("a.txt", "https://x/y?se=1&sig=abcdefgh%3D&sp=r", "https://x/y?se=1&sig=#&sp=r"),
        ("a.json", '{"password":123,"user":"me"}', '{"password":#,"user":"me"}'),
        (
            "a.json",
            '"{\\"token\\": \\"abc\\", \\"user\\": \\"me\\"}"',
            '"{\\"token\\": \\"#\\", \\"user\\": \\"me\\"}"',
        ),
        ("a.json", '{"kty": "RSA", "e": "AQAB", "d": "BS2HUVBsXpYHIf0tHij1"}', '{"kty": "RSA", "e": "AQAB", "d": "#"}'),
        ("a.py", "SECRET_KEY = 'a\\'b'\nB = 'c'", "SECRET_KEY = '#'\nB = 'c'"),
        ("a.py", 'A_TOKEN = """a\nb"""\nB = "c"', 'A_TOKEN = """#"""\nB = "c"'),
        ("a.py", 'PASSWORD = b"abc"', 'PASSWORD = b"#"'),
        ("a.py", 'PASSWORD = (\n    "abc"\n    "def"\n)', 'PASSWORD = (\n    "#"\n    "#"\n)'),
        ("a.py", 'USERS = {"lms": "abc"}', 'USERS = {"lms": "#"}'),
        ("a.py", "f(password=PASSWORD, user='me')", "f(password=PASSWORD, user='me')"),
        ("a.py", 'getenv("A_PASSWORD", "abc")', 'getenv("A_PASSWORD", "#")'),
        ("a.py", 'f("refresh_token", "refresh")', 'f("refresh_token", "refresh")'),
        (
            "a.sql",
            "USER a IDENTIFIED WITH sha256_hash BY 'abc'",
            "USER a IDENTIFIED WITH sha256_hash BY '#'",
        ),
        ("a.sql", "ENGINE = MySQL('h:1', 'd', 't', 'me', 'abc')", "ENGINE = MySQL('h:1', 'd', 't', 'me', '#')"),
        ("a.sql", "SOURCE(CLICKHOUSE(user 'me' password 'abc'))", "SOURCE(CLICKHOUSE(user 'me' password '#'))"),
        ("a.xml", "<password_sha256_hex>abc</password_sha256_hex>", "<password_sha256_hex>#</password_sha256_hex>"),
        ("my.cnf", "[client]\nuser=me\npassword=a b#c\n", "[client]\nuser=me\npassword=#\n"),
        ("redis.conf", "requirepass abc\nport 1", "requirepass #\nport 1"),
        ("users.acl", "user me on >abc ~* +@all", "user me on ># ~* +@all"),
        ("a.sh", "export PGPASSWORD=abc", "export PGPASSWORD=#"),
        ("a.sh", "redis-cli -h a -a abc ping", "redis-cli -h a -a # ping"),
        ("a.sh", "mysql -u root -pabc -h db", "mysql -u root -p# -h db"),
        ("a.sh", "curl -u me:abc http://a/", "curl -u me:# http://a/"),
        ("a.sh", "serve --db-password 'a b' --port 1", "serve --db-password '#' --port 1"),
        ("a.sh", "serve --token=abc --port 1", "serve --token=# --port 1"),
        ("Caddyfile", f"basicauth {{\n  me {HASH}\n}}", "basicauth {\n  me #\n}"),
        ("a.txt", f"before\n{KEY}\nafter", "before\n#\nafter"),
        ("a.txt", "redis://me:a@b@redis:6379/0 and http://a:80/b", "redis://me:#@redis:6379/0 and http://a:80/b"),
        ("a.txt", "https://0123456789abcdef0123@sentry.io/1", "https://#@sentry.io/1"),
        ("a.txt", "http://a/b?token=abc&page=1", "http://a/b?token=#&page=1"),
        ("a.txt", "Authorization: Basic bWU6YWJj", "Authorization: Basic #"),
        ("a.txt", "see Basic authentication", "see Basic authentication"),
        ("a.txt", "a bearer token", "a bearer token"),
        ("a.txt", "ghp_0123456789abcdefghij", "#"),
        ("a.txt", "https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/#"),
        ("a.txt", "$6$salt$0123456789 and {SSHA}abcdefgh12=", "# and #"),
        ("a.txt", "pbkdf2_sha256$870000$abc$def=", "#"),
    ],
)
def test_what_is_cut_out(file: str, text: str, left: str) -> None:
    assert cut(text, file) == left


@pytest.mark.parametrize(
    "name",
    [
        *("PASSWORD", "db_password", "adminPassword", "MYSQL_ROOT_PASSWORD", "DB_PASS", "pwd", "passphrase", "rootpw"),
        *("SECRET_KEY", "OAUTH2_SECRET_SSO_DEV", "client-secret", "JWT_PRIVATE_SIGNING_JWK", "AWS_SECRET_ACCESS_KEY"),
        *("api.key", "apiKey", "MEILISEARCH_MASTER_KEY", "PRIVATE_KEY", "fernet_key", "TOKEN2", "tokens", "SENTRY_DSN"),
        *(
            "password_sha256_hex",
            "PASSWORD_HASH",
            "secret_key_base",
            "CREDENTIALS",
            "basic_auth",
            "BASICAUTH",
            "RABBITMQ_ERLANG_COOKIE",
            "requirepass",
        ),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name) is (name != "rootpw")


@pytest.mark.parametrize(
    "name",
    [
        *("PASSWORD_RESET_LINK", "SECRET_NAME", "secretName", "TOKEN_URL", "tokenPath", "compass"),
        *("partition_key", "primary_key", "KEY", "routing_key", "public_key", "SOCIAL_AUTH_EDX_OAUTH2_KEY", "bypass"),
        *(
            "ACCESS_TOKEN_EXPIRE_SECONDS",
            "USE_TOKENIZER",
            "author",
            "",
            "---",
            "password_file",
            "keyboard",
            "credentials_file",
        ),
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("words", "secret"),
    [
        (["--password=a b", "--port=1"], ["a b"]),
        (["--password", "abc", "--port", "1"], ["abc"]),
        (["redis-server", "--requirepass", "abc"], ["abc"]),
        (["requirepass", "abc"], ["abc"]),
        (["PGPASSWORD=abc", "psql"], ["abc"]),
        (["sh", "-c", "redis-cli --pass abc"], ["abc"]),
        (["redis-cli", "-a", "abc", "ping"], ["abc"]),
        (["/usr/bin/mysqladmin", "-uroot", "-pabc", "ping"], ["abc"]),
        (["mysql", "-uroot", "-p", "abc"], []),
        (["sshpass", "-p", "abc", "ssh", "-p", "22"], ["abc", "22"]),
        (["mkdir", "-p", "abc"], []),
        (["serve", "-p", "Zq7kV9xL", "-p", "8080", "-p", "MyProject"], ["Zq7kV9xL"]),
        (["serve", "--credentials", "abc"], ["abc"]),
        (["--password", "$(PASSWORD)"], []),
        (["--token-file", "/run/token"], []),
    ],
)
def test_words_of_a_command_line(words: list[str], secret: list[str]) -> None:
    found = zip(words, in_words(words), strict=True)
    assert [word[start:end] for word, spans in found for start, end in spans] == secret


@pytest.mark.parametrize("name", sample(HUGE))
@pytest.mark.parametrize("code", [False, True])
def test_it_takes_no_longer_than_the_text_is_long(name: str, code: bool) -> None:
    text = HUGE[name]
    start = time.process_time()
    in_text(text, code=code)
    assert time.process_time() - start < 3
