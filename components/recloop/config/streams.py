"""How a topic of Kafka is read."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from recloop.config.section import Section

SECRET = re.compile(r"password|secret|\.key$|\.pem$")


def _without_secrets(options: dict[str, str]) -> dict[str, str]:
    told = [name for name, value in options.items() if SECRET.search(name) and not re.fullmatch(r"\$\{\w+\}", value)]
    if told:
        raise ValueError(f"{told[0]} holds a secret. Put it into the environment and write ${{ITS_NAME}} instead")
    return options


class KafkaConfig(Section):
    """data.kafka: of the source kafka alone."""

    group: str = Field("recloop", min_length=1)
    """consumer group whose committed offsets tell other tools how far the published events reach"""
    options: Annotated[dict[str, str], AfterValidator(_without_secrets)] = Field(default_factory=dict)
    """more settings of librdkafka, such as security.protocol; ${NAME} stands for an environment variable"""
    max_messages: int = Field(5_000_000, gt=0)
    """read in one run; what is left comes with the next"""
    gap: Literal["stop", "accept"] = "stop"
    """when the topic has deleted messages that were not read yet"""
