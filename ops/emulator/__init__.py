"""An AWS emulator on loopback that answers the unmodified CDK CLI, CloudFormation and boto3.

``ministack`` supplies the CloudFormation engine and most services; a launcher of ours adds the resource types it lacks,
checks each resource against its published schema, and keeps a ledger of what came to exist and how.

    with Emulator(workdir) as emulator:
        subprocess.run(["cdk", "deploy", "--all"], env=os.environ | emulator.environment)
        for entry in current_resources(emulator.ledger()):
            print(entry.construct_path, entry.type, entry.how)
"""

from ops.emulator.emulator import Emulator, EmulatorError
from ops.emulator.ledger import LedgerEntry, current_resources

__all__ = ["Emulator", "EmulatorError", "LedgerEntry", "current_resources"]
