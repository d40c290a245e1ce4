namespace StreamLstm.Detection;

/// <summary>What a stream begins with.</summary>
/// <param name="Form">How much it may remember.</param>
/// <param name="OwnWeights">Whether it adapts weights of its own.</param>
public readonly record struct StreamBirth(StreamForm Form, bool OwnWeights);
