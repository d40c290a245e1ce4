using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Doors;

/// <summary>A secret that lets whoever sends it do something.</summary>
internal sealed class AccessTokenOptions
{
    /// <summary>read, ingest or admin.</summary>
    public Role Role { get; init; } = Role.Read;

    /// <summary>The token: 16 or more characters without blanks. From the environment: "${STREAMLSTM_TOKEN}".</summary>
    [Secret]
    public string Token { get; init; } = "";

    /// <summary>A file that holds it, in place of token; read again when it changes.</summary>
    public string File { get; init; } = "";
}
