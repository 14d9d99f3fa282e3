"""What a delivery is, who may be told what, and by which rules somebody is told at all."""
