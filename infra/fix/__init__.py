"""What gateways run with: profiles of venues, demonstrations, TLS, QuickFIX itself."""
