"""What a deployment pipeline does between the CDK's commands: the order, the alarms, the comment."""
