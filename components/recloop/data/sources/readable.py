"""What polars and the file system raise while a source is read -> the errors of Recloop."""

from collections.abc import Iterator
from contextlib import contextmanager

from polars.exceptions import ComputeError, NoDataError, SchemaError

from recloop.errors import BadData, Unavailable


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Raise BadData where the bytes are missing or of another form, Unavailable where the storage did not answer."""
    try:
        yield
    except FileNotFoundError:
        raise BadData(f"There is nothing at {name}. Check data.events and data.items.") from None
    except OSError as error:
        raise Unavailable(f"{name} cannot be read: {error}. Check the endpoint and credentials, run again.") from error
    except NoDataError:
        raise BadData(f"{name} is empty. Check the export.") from None
    except (ComputeError, SchemaError) as error:
        raise BadData(f"{name} cannot be read: {error}. Check the file, or export it again.") from error
