"""What moves audiences out of the warehouse: `mailroom push`, its receipts, and the destinations it knows."""
