"""Arguments near the borders: most are what somebody might write, some are what nobody should."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.network import EndpointProfile
from secure_ml_constructs.storage import DatasetLock, LockMode, Zone

Arguments = dict[str, Any]

ACCOUNT = "111122223333"
ANY = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role"

_role = st.sampled_from(
    [
        f"{ANY}/admin",
        f"{ANY}/path/to/admin",
        f"{ANY}/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_*",
        f"arn:aws:iam::{ACCOUNT}:role/admin",
        f"arn:aws-cn:iam::{ACCOUNT}:role/admin",
    ]
)
_not_a_role = st.sampled_from(
    ["admin", f"{ANY}/*", "arn:aws:iam::*:role/x", f"arn:aws:iam::{ACCOUNT}:user/x", "", f"{ANY}/**"]
)


def mostly(
    good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any], *, times: int = 12
) -> st.SearchStrategy[Any]:
    """Good values, and once in so many a bad one."""
    return st.integers(0, times).flatmap(lambda draw: bad if draw == times else good)


def _roles() -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(mostly(_role, _not_a_role, times=25), max_size=3).map(tuple)


perimeters: st.SearchStrategy[Arguments] = st.fixed_dictionaries(
    {},
    optional={
        "organization": mostly(
            st.from_regex(r"o-[a-z0-9]{10,32}", fullmatch=True) | st.none(), st.text(max_size=12)
        ),
        "accounts": st.lists(
            mostly(st.from_regex(r"[0-9]{12}", fullmatch=True), st.text(max_size=13), times=20), max_size=3
        ).map(tuple),
        "role_path": mostly(
            st.from_regex(r"/([a-z][a-z0-9-]{0,12}/){1,3}", fullmatch=True), st.text(max_size=8), times=10
        ),
        "administrators": _roles(),
        "deploying_roles": mostly(st.lists(_role, min_size=1, max_size=2).map(tuple), st.just(())),
        "break_glass_roles": _roles(),
        "erasure_roles": _roles(),
    },
)

_lock = st.builds(
    DatasetLock, mode=st.sampled_from(LockMode), days=mostly(st.integers(1, 36_500), st.integers(-1, 40_000))
)
_days = st.none() | mostly(st.integers(1, 3650), st.integers(-5, 99_999))
zone: st.SearchStrategy[Zone] = st.builds(
    Zone,
    name=mostly(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), st.text(max_size=5)),
    prefix=st.just("")
    | mostly(st.from_regex(r"([A-Za-z0-9_=.-]{1,6}/){1,3}", fullmatch=True), st.text(max_size=5)),
    key_class=mostly(st.sampled_from([KeyClass.DATA, KeyClass.MODEL]), st.sampled_from(KeyClass)),
    personal_data=st.booleans(),
    expire_days=_days,
    archive_days=st.none() | st.integers(1, 90),
    old_version_days=mostly(st.integers(7, 365), st.integers(-1, 6)),
    lock=st.none() | st.none() | _lock,
)
lakes: st.SearchStrategy[Arguments] = st.fixed_dictionaries(
    {},
    optional={
        "zones": mostly(st.lists(zone, min_size=1, max_size=5).map(tuple), st.just(())),
        "catalog": st.booleans(),
        "bucket_default_encryption": st.booleans(),
    },
)

keys: st.SearchStrategy[Arguments] = st.fixed_dictionaries(
    {}, optional={"rotation_days": mostly(st.integers(90, 365), st.integers(-1, 4000), times=4)}
)

_service = st.sampled_from(
    ["bedrock-runtime", "sqs", "sns", "states", "execute-api", "dynamodb", "textract", "rekognition"]
)
networks: st.SearchStrategy[Arguments] = st.fixed_dictionaries(
    {},
    optional={
        "cidr": mostly(
            st.builds(
                lambda start, second, size: f"{start}.{second}.0.0/{size}",
                st.sampled_from(["10", "172.16", "192.168", "100.64"]).map(lambda text: text.split(".")[0]),
                st.sampled_from([0, 16, 64, 168]),
                st.integers(16, 24),
            ),
            st.sampled_from(["10.0.0.0/8", "10.0.0.0/28", "8.8.8.0/20", "10.0.0.1/16", "fd00::/48", "", "x"]),
        ),
        "availability_zones": mostly(
            st.sampled_from([2, 3, ["eu-central-1a", "eu-central-1b"]]),
            st.sampled_from([0, 1, 4, [], ["a"], ["a", "a"], "ab", -1]),
        ),
        "endpoints": st.fixed_dictionaries(
            {"profile": st.sampled_from(EndpointProfile)},
            optional={
                "extra": st.lists(
                    mostly(_service, st.text(max_size=6), times=20), max_size=2, unique=True
                ).map(tuple),
                "interface_s3": st.booleans(),
                "aws_images": st.booleans(),
                "zones": mostly(
                    st.just({"sagemaker.api": (0, 1)}),
                    st.sampled_from([{"sagemaker.api": ()}, {"x": (0,)}, {"sagemaker.api": (7,)}]),
                ),
            },
        ),
        "flow_log_retention_days": mostly(st.sampled_from([30, 90, 365, 3653]), st.integers(-1, 400)),
    },
)

archives: st.SearchStrategy[Arguments] = st.fixed_dictionaries(
    {},
    optional={
        "retention_days": mostly(st.integers(365, 36_500), st.integers(-1, 99_999), times=4),
        "mode": st.sampled_from(["COMPLIANCE", "GOVERNANCE"]),
        "writers": _roles(),
    },
)
trails: st.SearchStrategy[Arguments] = st.fixed_dictionaries(
    {},
    optional={
        "events": st.fixed_dictionaries(
            {},
            optional={
                "insights": st.booleans(),
                "denied_network_calls_only": st.booleans(),
                "data_buckets": mostly(
                    st.none()
                    | st.lists(st.from_regex(r"arn:aws:s3:::[a-z]{3,9}", fullmatch=True), min_size=1),
                    st.sampled_from([[], ["bucket"]]),
                ),
                "network_sources": mostly(
                    st.none() | st.just(["s3.amazonaws.com", "kms.amazonaws.com"]), st.just(["mars"])
                ),
            },
        ),
        "log_retention_days": mostly(st.sampled_from([30, 365, 3653]), st.integers(-1, 400)),
    },
)

_pypi_names = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,5})?", fullmatch=True)
_scopes = st.from_regex(r"@[a-z][a-z0-9]{0,6}", fullmatch=True)
_npm_names = st.from_regex(r"(@[a-z]{1,5}/)?[a-z][a-z0-9-]{0,6}", fullmatch=True)


def _names(good: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    each = mostly(good, st.text(max_size=6), times=30)
    return st.lists(each, max_size=3, unique=True).map(tuple)


packages: st.SearchStrategy[Arguments] = st.fixed_dictionaries(
    {},
    optional={
        "pypi": st.tuples(_names(_pypi_names), st.none() | _names(_pypi_names)),
        "npm": st.tuples(_names(_scopes), st.none() | _names(_npm_names)),
    },
)
topics: st.SearchStrategy[Arguments] = st.fixed_dictionaries(
    {},
    optional={
        "emails": st.lists(mostly(st.emails(), st.text(max_size=8), times=20), max_size=3),
        "endpoints": st.sampled_from([[], ["vpce-0a1b2c3d4e5f60718"], "vpce-0a1b2c3d4e5f60718"]),
    },
)
