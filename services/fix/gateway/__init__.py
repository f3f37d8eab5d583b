"""What gateways of every kind share: an application of the runtime over FIX and the log."""
