namespace StreamLstm.Daemon.Configuration;

/// <summary>What the user wrote cannot be run; every reason, not only the first.</summary>
internal sealed class ConfigurationException(IReadOnlyList<string> errors)
    : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
