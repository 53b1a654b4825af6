"""How a network is trained: schedules, the optimizer's parameter groups, and the one LightningModule."""
