namespace StreamLstm.Decoding;

/// <summary>What is made of the fields of payloads.</summary>
internal sealed record PayloadRules
{
    public static readonly PayloadRules Default = new();

    /// <summary>Deepest place in a document that is looked at, counting from 1.</summary>
    public const int DepthMax = 8;

    /// <summary>Whether a number in text may have a unit behind a blank.</summary>
    public bool Units { get; init; }

    /// <summary>Fields of an array's objects that name them; without one they are numbered from 0.</summary>
    public IReadOnlyList<string> ArrayKeys { get; init; } = [];

    /// <summary>How long a message of Sparkplug B that comes before its turn waits for those before it.</summary>
    public TimeSpan ReorderTimeout { get; init; }

    /// <summary>Of times that say no offset.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>How sound becomes records.</summary>
    public SoundRules Sound { get; init; } = SoundRules.Default;
}
