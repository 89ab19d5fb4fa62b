"""What `audit` rests on: what the machine says, and what people said."""
