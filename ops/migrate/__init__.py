"""From an app's own WebSocket API to the shared one, on a live CloudFormation stack."""
