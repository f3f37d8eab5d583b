"""FIX at the edges: sessions by QuickFIX, and gateways that turn FIX into events and back."""
