"""What an error of the client means to the runtime."""

from confluent_kafka import KafkaError, KafkaException

from streams.core.errors import AmbiguousCommitError, FencedError, LogError

__all__ = ["error_of", "producer_error"]

FENCED = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        getattr(KafkaError, "PRODUCER_FENCED", KafkaError._FENCED),
    }
)


def error_of(exception: KafkaException) -> KafkaError:
    """Return the error that the exception carries."""
    error: KafkaError = exception.args[0]
    return error


def producer_error(subject: str, exception: KafkaException) -> LogError:
    """Return the runtime's error for a failed call of a transactional producer.

    Retriable, abortable and fatal errors lead to the same answer, a full take-over: after a timeout
    the protocol cannot say whether the transaction committed, and a late request of this producer
    could still end its next one.
    """
    error = error_of(exception)
    if error.code() in FENCED:
        return FencedError(f"{subject}: {error.str()}")
    return AmbiguousCommitError(f"{subject}: {error.name()}: {error.str()}")
