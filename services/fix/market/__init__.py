"""The simulator's venues as FIX acceptors: orders in, executions out, misbehavior on demand."""
