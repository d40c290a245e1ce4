namespace StreamLstm.Daemon.Messages;

/// <summary>An option whose value is not to be shown: echo prints stars, and messages leave it out.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretAttribute : Attribute;
