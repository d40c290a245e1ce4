using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Configuration;

/// <summary>Streams that share base weights of their own.</summary>
internal sealed class ModelGroupOptions
{
    /// <summary>What it is called where weights are listed: letters, digits, dots, hyphens and underscores.</summary>
    [Required]
    public string Name { get; init; } = "";

    /// <summary>Names of its streams, labels included: * stands for any characters, ? for one; the first group that matches counts.</summary>
    [Required]
    public string Streams { get; init; } = "";

    /// <summary>The detector's part.</summary>
    public ModelGroup Detection() => new(Name, Streams);
}
