# SPDX-License-Identifier: Apache-2.0
from bm_shim.sandbox import Credentials

ADMIN = Credentials("http://127.0.0.1:5000/v3", "admin", "secret", "admin")


def test_the_environment_of_a_project_account() -> None:
    assert ADMIN.environment == {
        "OS_AUTH_URL": "http://127.0.0.1:5000/v3",
        "OS_USERNAME": "admin",
        "OS_PASSWORD": "secret",
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": "RegionOne",
        "OS_IDENTITY_API_VERSION": "3",
    }


def test_the_environment_of_a_system_account_names_no_project() -> None:
    environment = ADMIN.for_system().environment
    assert environment["OS_SYSTEM_SCOPE"] == "all"
    assert not [name for name in environment if "PROJECT" in name]


def test_options_say_what_is_not_set() -> None:
    in_project, in_system = ADMIN.options, ADMIN.for_system().options
    assert in_project.keys() == in_system.keys()
    assert (in_project["project_name"], in_project["system_scope"]) == ("admin", None)
    assert (in_system["project_name"], in_system["system_scope"]) == (None, "all")
    assert in_system["project_domain_id"] is None
