"""The demo: one market day on a real Kafka, from the small orders to the proof."""
