namespace StreamLstm.Detection;

/// <summary>What a stream's observations are: it is of one kind, and stays of it.</summary>
public enum StreamKind
{
    /// <summary>Single values.</summary>
    Values,

    /// <summary>Records of several values that are judged together.</summary>
    Records,

    /// <summary>Events: log lines, words.</summary>
    Events,

    /// <summary>Lines of text that are judged character by character: names, commands, prose.</summary>
    Texts,

    /// <summary>Lines of text that are judged word by word.</summary>
    Words,
}
