"""The use cases. Each wires the rooms below and gives back values; none of them prints."""
