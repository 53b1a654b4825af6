"""How a network is trained: the optimizer's parameter groups, and the one LightningModule."""
