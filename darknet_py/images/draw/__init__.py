"""Pictures of numbers: heat maps, sheets, charts."""
