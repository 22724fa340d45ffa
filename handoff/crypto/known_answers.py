"""What the crypto library must answer at every start, so that what was sealed years ago still opens (`self_test.check`).

`SEED` is the first test vector of draft-connolly-cfrg-xwing-kem; its public key begins with e2236b35a8c24b39b10a.
The Argon2id key is the vector of RFC 9106, section 5.3. The blobs were made by the first version that could make
them: never remake them.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

SEED = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")


@dataclass(frozen=True)
class KnownAnswers:
    """What `words`, sealed and locked years ago under `SEED`, must still give."""

    words: bytes
    locked: bytes
    sealed: dict[bytes, bytes]
    together: dict[bytes, list[bytes]]  # `words` and an empty part, under one encapsulation
    by_owner: dict[bytes, list[bytes]]  # the same, made with the private key itself
    public_digests: dict[bytes, bytes]  # SHA-256 of the public key
    argon2id_key: bytes


KNOWN = KnownAnswers(
    words=b"bel 0800-0432",
    locked=b64decode("6bf+YDq0YhBp9NwTcKnYxFsjlb3sScstytXm7ZB8AxDAEQkUZ4c1cPo="),
    sealed={
        b"\x01": b64decode("Aa5n8ovIYoF6SSul4Hi2GAr1RkvbDinCyxVoWBy+WnYvsGgxGinW37BIW4DYynvDeA3Pw7+gg9pChoG8Yfs="),
        b"\x02": b64decode(
            "AuILuB+6eTA8eUeUhrVDvvRmjpUhB+KpLXFRXtwFTNvSqb5olziey7/IsRl3ZJ2OhAFRwp9FjlcZZyCb5srk9eMD1z3KyhUO8Afp"
            "6G9elfrUb4kHWMtEY2F/DTYONFIIUhP7Bi//xUsnL1Emog84i96Rz8sgyKpbDV9TnBKTlYZ6wIB/5uNTZ42K4L5SMX0bcPww8TE2"
            "IdIEIxX92u+wDM6r1FK3jZd/nHOsAqIKAu8pjLAoz3XaCCTaZ6yc5D5HA+PI5/N12X8peWekg8JNxLniodwL+sX019oOXzNvK21m"
            "ZoFLmSfp0I+lms+g9TZmQPuDksK4ggqWr3wi0QNok9mL+jWfH7MK4H/lqCj4XEVqaqZURrJjovmsoZhX7WEp4H4sSJeLLvUogr6x"
            "Ulu9UpxIBTFMiijvRDmUGRQgt/Ek8oaTbA9tlA+DHxFGrEFUhuXU/YQhAwxgf73EXeeL8yUAwMAMt/Jjr0lXilzzzUQjxY2XclZl"
            "Nvaa21BA0xHlpDhH0TD6qsGjGa641ttIqYV5+Ue3o6xU6pIlM6SOd3nr7/KuxAtiRqHclghfRusOWBoo8oXJj2mA2upkmYj3DdV9"
            "H7YdJ47quAGkAq/lloVahUCSJQEpsOxaVAMHg4DhoKwnMH60/tZ3f6+luXVicgbk6wSnkzyulAc5mW4Kf1oldQRocV6MSpbriHex"
            "0AAwQYSCwWJBxErrHsVd+bev+JtD6z8h+yP8kcrtQZiwfjYlLfUK6k8XIHz8tNH3gopnPixzbzQ9hSnoBn6EweA9Ip6VReXbHgpe"
            "f2SZKhcJuWooRSJ7jjpxWpEyY0qfNgQPElnmltknK7UmAIJdf569CFYZobEy5ek1VSp6DiAtXVYGkcQQhQ//PLVuNKsRM5k+OXrU"
            "piwlCtwVD6szZa/RaGTSGeREomr3Wx96zxI37BYbj4bF5yFiVyTVOASkmI8heXby2z6bg0ch3yXWIogNKRuJ8Epw26TpUWDyRqML"
            "WJnBjOFwxRIfD4j6Gq1zepAM4ZQ43jioL0+6cMYyLtY8IRdiV35Y5yTERXPv3kawdoIWmQTlT/Wep0L4qsqdmJ9wMA0Mhg11VGlE"
            "F20A3jYpmt1eAqpua5htWoux+3dvVGYkwO3pTmGa9d0hTwJAm1umwy5srwy9AFqt8ipfA+utkj6PxuUYgCJrzNprqY8jDZLihMK9"
            "Zs+asMGbxQlbFVUpOllw2KsJzRmRMqJMXOYBsvB1MsSpMQwChj04gl2IWJvVMs7IXyGvCaDACbkV43vu+b+KRq1EGEMlaDZ3PBRl"
            "d9irvyKsIRzLjUNDF+/WyHyJaFmSVIge//vqYB5ebo608OoAVPRLs8wgpyfcdzpYWWhbor6vyJlGoefJhEFY+u3iJQLGW4TjXveM"
            "ADA3dHLQ605fwX8KKSTaAuJ9e9uy9JANXv+ymFsw/rvUjrVsXUq5oXC3+v0KGjau1qGSwaJBIwNtlexLkDAnA2pxO4w4sXs5IqTd"
            "wFk1TaxoKijczQWmoxorL9yr+RSW/Meo8g=="
        ),
    },
    public_digests={
        b"\x01": bytes.fromhex("4b654111cfcb9bdc8b35755e830f8fcec144654ae707f2bd60447c023dc8d669"),
        b"\x02": bytes.fromhex("762437b71fa61c9b1b26358f0802142f8bc7e319b5a05ae64b63030e79d6d607"),
    },
    argon2id_key=bytes.fromhex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"),
    together={
        b"\x01": [
            b64decode(
                "ESJGU/8oeT65AFdGx/s5sANjndf+kDMw3CAnPsv7FjBGiASOmGS0twDIC0kWWVfRgYeE/Z6LXfavuBbHO1S4lhjRtvy2v203NHmUIxbE"
                "gR1CZi2JmhtAjXltoxdl+/eJ3XKl96zWqigEpXFnV1c="
            ),
            b64decode("EQenTD1tw07g41qp9G7uKLk="),
        ],
        b"\x02": [
            b64decode(
                "EnBYcIeFd2Ne+UTKH1p/7ohpiDpxUJpUzQnjJ1ik4dK/kHBTYudU14cilCXA9ESiXBRlgQsufEPR7NxS+3f3FJGkw/reeNHMIfkz6zRe"
                "Gl7IPPfJWLzFkqbijuzvLMpPF6JZuKah4W/32zXBWAzn1zceFd4eXA2o/rSmbsEgE4Jnf8ZzoTZs5XrfFhJhimrodXeb27LbxEsaRfjo"
                "pu4V6b0oEqtTv4h6QGUwBXyDOkLtr6TFm4nHARPuYsmVeUJamE1OTt705/LOwMxmpdmuHw99NFOUOW2ckfhcg2yRQPshcLX87XID06yy"
                "Ys2HQfmefR8l2vgjMH/x/GJxYQbuG93JWfgMK1X4CDBHM5dYCRJmQhwh3HaXC/qR+nldP2XloCbAkzlnALrnHLpkLwi261nV9blTLXHO"
                "9elui4XY4xesW1scFaU1zOyYrnsHaBacmuX9qQBEkLO1XlYDqzBlqe2j6xb4eVsYHApzh+Ab3HRXd0KY+zxVHxaY1VmSgrSoxuW1BcxW"
                "JTHrYQRugeOhhAY1DfS743GgNwZ0YeU11Hd+IimULEq8mQ+Xx/4vhqcZWv26gTG7Wy47DypTkA+NDGN7uUTAn+gEVkamVxeOAMXbyYp9"
                "PXQljZeXsoeKEyt1L7muti1o/7g9y19va8LHN8Ug6BMwhZzUIOv+ypC8UJdqr9mtVEwHJnZjX6vO6jbsIV/oCOKs3WrEDuBKWo+cFGrM"
                "ey9/BIM4aIpnzHiK1xmDvWcjY58hjJouDwJj3RDy+EJgavmu/SRk9drStdk0Fj/svQJP1yXbEWARH0CA8EvGSNutFiQoX65kdzynqghk"
                "skHj75ijKJzOZOgKNowXv1HB4v3tyUeSLaw3n8QaL4+Y0wYW7EDQsNpFuhbUP2unwiRN0Fcfb5QZxhj00pw0L73aFFkGjdH4b8Y3u4Dy"
                "CWG6ZbSxC1e7nz4JGA0e6wX7o3CW6wC6yBl+WiHsGHr/0V4roSXkCo7B6SnYGgIyi5rrB4/nobiFeOOOn30G4NSflPV5vefsNmri9qbs"
                "DapV2evsOKZLZh65Fg9RGx6oW/k9b9mhArexkQk+Mb+x4fwnAULen/ZJJ7Voaa/wlFWLZoowZtvfQyjGSX8YzSTaf0abWW9p6jSrgCuP"
                "XdFQRz71xm868rbI5IIBaoVUwkiM2MEVS0Gph7Al5uu4f+ZlEHZWCMQpMwwBjYPagDa0Xg+2zg1b9yiqH2Tr9wdsNfVsUvn3g1G5YIe3"
                "zyKfy0Wl2p09rkVBJzMiNAG0g0owgurp3GvdTf+Edkd1A2OH5JzUtfQ5eYc82SRFINepVouyDj3Hy4Nhk89yqG42PVsKtadgWqlsZ/0R"
                "SENhRUT4tiFZ0rlUZu8ftqFOpCs+nQQ+bQdhz8dMsD4dUVeQ+eXN1jEIIIJhTB+CRRx8pTejuHgn912BR4W9sfw2WZizYlATDkxEwGDn"
                "lHGbPUqylW+bAKrSDqbsHW/lv5HrLJTG5xjIfSq1on9ZxcXbn64lQ3hR6gLbyhTV0OkKsPY4AZFiLzOLlGymFyAfHe6UrBqfNvh+TlMM"
                "ddQ/oPiM9QPMAld4DQMdt8WZzl0f/raYqW13BQ=="
            ),
            b64decode("EhfJzsaaV7kfmz0y4pNFJyo="),
        ],
    },
    by_owner={
        b"\x01": [
            b64decode("IVLMvWlAvxVjLTliZiVMoH84msPLNR1CBf273VCNRr+kTHrDGXgnA6vj0OVbqEWBoawJniEhF5aD5b8CCEI="),
            b64decode("IWoTb1ehU0FfEBQr5GBNaa8="),
        ],
        b"\x02": [
            b64decode("Iv1Q/DinfXPc2mq0YbG/VxEFwbnNSarmj5NnAWYXU/my4Tpy1QJ2AzITDbuUz/ViheCawG6fjxB543CSygM="),
            b64decode("ItNkLpZqhaObqxdOI1yHyj0="),
        ],
    },
)
